"""The models that a trained model stands on: which, at which revision, on whose terms."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from model.recipe.architecture import PretrainedLlama, RandomEncoder
from model.recipe.training import TrainingRecipe
from pipeline.whisper.checkpoint import BUNDLED

_OPENAI_WHISPER = "MIT"
"""https://github.com/openai/whisper/blob/main/LICENSE, of code and weights."""
_LLAMA_3 = "LicenseRef-Llama-3-Community"
_UNDER_LLAMA_3 = frozenset(
    f"meta-llama/Meta-Llama-3-{size}" for size in ("8B", "8B-Instruct", "70B", "70B-Instruct")
)
"""https://huggingface.co/meta-llama; LLaMA 1, 2, 3.1 and later each have a licence of their own."""


@dataclass(frozen=True)
class BaseModel:
    """A model that was built upon; `licence` is None where nobody here can know it."""

    part: str
    name: str
    revision: str
    licence: str | None


def base_models(recipe: TrainingRecipe) -> list[BaseModel]:
    """The encoder and the language model of a resolved recipe."""
    return [_encoder(recipe), _language_model(recipe)]


def _encoder(recipe: TrainingRecipe) -> BaseModel:
    settings = recipe.encoder
    if isinstance(settings, RandomEncoder):
        name = f"Whisper's architecture, width {settings.width}, random weights"
        return BaseModel("encoder", name, f"seed {settings.seed}", "Apache-2.0")
    revision = f"sha256 {settings.sha256}"
    if settings.model in BUNDLED:
        name = f"{settings.model}, m5ser's own Whisper"
        return BaseModel("encoder", name, revision, "Apache-2.0")
    name = Path(settings.model).name
    named = settings.model == name and not Path(settings.model).suffix
    licence = _OPENAI_WHISPER if named else None
    return BaseModel("encoder", f"openai-whisper {name}", revision, licence)


def _language_model(recipe: TrainingRecipe) -> BaseModel:
    settings = recipe.language_model
    if not isinstance(settings, PretrainedLlama):
        name = f"LLaMA of width {settings.width} over bytes, trained whole"
        return BaseModel("language model", name, f"seed {settings.seed}", "Apache-2.0")
    licence = _LLAMA_3 if settings.model in _UNDER_LLAMA_3 else None
    folder = Path(settings.model)
    name = folder.name if folder.exists() else settings.model
    return BaseModel("language model", name, settings.revision or "", licence)
