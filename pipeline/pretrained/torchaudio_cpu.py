"""Make torchaudio importable beside a CPU-only torch.

    python -m pipeline.pretrained.torchaudio_cpu

torchaudio's wheel holds a compiled part that links CUDA. Without CUDA its import raises, and with
it that of transformers, peft and coqui-tts, which import torchaudio wherever it is installed. Where
the compiled part is absent torchaudio takes its Python path, which is all that is used here; so
the part is renamed, once, after installation. With a CUDA build of torch nothing is done.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

_ASIDE = ".needs-cuda"


def set_compiled_part_aside() -> list[Path]:
    """Rename the libraries that this torch can't load; the paths renamed (none: nothing to do)."""
    import torch

    if torch.version.cuda is not None:
        return []
    renamed = []
    for library in _compiled():
        library.rename(library.with_name(library.name + _ASIDE))
        renamed.append(library)
    return renamed


def loads() -> bool:
    """Whether torchaudio, if it is installed, can be imported beside this torch."""
    import torch

    return torch.version.cuda is not None or not _compiled()


def _compiled() -> list[Path]:
    found = find_spec("torchaudio")
    if found is None or found.origin is None:
        return []
    return sorted((Path(found.origin).parent / "lib").glob("*.so"))


if __name__ == "__main__":
    for path in set_compiled_part_aside():
        sys.stdout.write(f"set aside {path.name}: it links CUDA, and this torch has none\n")
