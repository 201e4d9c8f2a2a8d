"""An inaudible mark in the samples of every take, which a detector finds after encoding."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from pipeline.judges.bundled import need
from pipeline.pretrained.named import Pretrained, model_folder
from pipeline.pretrained.opening import opening

WATERMARK_RATE_HZ = 16_000
"""The rate that AudioSeal's published weights were trained at."""
_BITS = 16
_GENERATOR, _DETECTOR = "generator_base.pth", "detector_base.pth"


@dataclass(frozen=True)
class Marker:
    """A generator and a detector, loaded; clips are float32 [T] mono at `WATERMARK_RATE_HZ`."""

    generator: Any
    detector: Any
    message: Any
    least_found: float

    def mark(self, samples: np.ndarray) -> np.ndarray:
        """The clip with the mark in it, within full scale."""
        import torch

        clip = torch.from_numpy(samples)[None, None]
        with _running():
            mark = self.generator.get_watermark(clip, WATERMARK_RATE_HZ, self.message)
        return np.asarray((clip + mark).clamp(-1.0, 1.0)[0, 0])

    def fault(self, samples: np.ndarray) -> str | None:
        """What is wrong with a clip that should be marked, in one sentence, or None."""
        import torch

        clip = torch.from_numpy(samples)[None, None]
        with _running():
            found, message = self.detector.detect_watermark(clip, WATERMARK_RATE_HZ)
        if float(found) < self.least_found:
            return (
                f"watermark: found in {float(found):.0%} of the clip after encoding, "
                f"watermark.least_found is {self.least_found:.0%}"
            )
        wrong = int((message[0] != self.message[0]).sum())
        return f"watermark: {wrong} of {_BITS} bits are read wrongly" if wrong else None


@contextmanager
def _running() -> Iterator[None]:
    """Without gradients, and uncompiled: a compiler would start anew for every length of clip."""
    import torch
    from audioseal.libs.moshi.utils.compile import no_compile

    with torch.inference_mode(), no_compile():
        yield


class AudioSeal(Pretrained):
    """AudioSeal with 16 bits of message (San Roman et al. 2024, "Proactive Detection of Voice
    Cloning with Localized Watermarking", ICML), at 16 kHz. Code and weights are MIT.

    The weights are pickled; nothing but tensors and OmegaConf's containers is read from them. The
    embedding is deterministic; a take whose mark is not found after encoding is a failed row.
    """

    engine: Literal["audioseal"] = "audioseal"
    version: ClassVar[int] = 1
    model: str = "facebook/audioseal"
    """The Hub's repository, or a folder, with `generator_base.pth` and `detector_base.pth`."""
    message: Annotated[int, Field(ge=0, lt=2**_BITS)] = 0x5E12
    """The bits that every clip carries: whose mark it is."""
    least_found: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Share of the clip in which the detector must find the mark (assumed)."""

    def load(self) -> Marker:
        """Load both networks.

        Raises:
            ModelError: the weights can't be had, or are not what was pinned.
            ModuleNotFoundError: audioseal is not installed.
        """
        import torch

        builder = need("audioseal.builder", "audioseal>=0.2")
        files = (_GENERATOR, _DETECTOR)
        folder = model_folder(self.model, self.revision, True, plain=(), pickled=files)
        bits = [self.message >> place & 1 for place in reversed(range(_BITS))]
        return Marker(
            _read(folder / _GENERATOR, builder.AudioSealWMConfig, builder.create_generator),
            _read(folder / _DETECTOR, builder.AudioSealDetectorConfig, builder.create_detector),
            torch.tensor([bits]),
            self.least_found,
        )


def _read(file: Path, config: type, create: Callable[[Any], Any]) -> Any:
    """A network with the settings that its file states, ready to run."""
    import torch
    from audioseal import loader

    with opening(file, "AudioSeal", "watermark.model"):
        with torch.serialization.safe_globals(_containers()):
            state = torch.load(file, map_location="cpu", weights_only=True)
        settings = loader.AudioSeal.parse_config(dict(state["xp.cfg"]), config, nbits=_BITS)
        network = create(settings)
        weights = loader.convert_state_dict_for_scriptable_model(state["model"])
        loader.load_state_dict(network, weights)
    return network.eval()


def _containers() -> list[Any]:
    """What AudioSeal's files hold besides tensors: settings, as OmegaConf packs them."""
    from omegaconf import base, dictconfig, listconfig, nodes

    kinds = (dictconfig.DictConfig, listconfig.ListConfig, nodes.AnyNode)
    return [*kinds, base.ContainerMetadata, base.Metadata, Any, defaultdict, dict, list, int]
