"""A model card names what the model stands on, and says where that is no OpenAI Whisper."""

import pytest

from model.bases import base_models
from model.recipe.architecture import PretrainedLlama, RandomEncoder, WhisperEncoder
from tests.model.tiny import tiny_recipe


def _encoder_of(settings):
    recipe = tiny_recipe().model_copy(update={"encoder": settings})
    return base_models(recipe)[0]


def test_openai_s_whisper_is_named_with_its_licence_and_hash():
    settings = WhisperEncoder(model="large-v3", sha256="a" * 64)
    found = _encoder_of(settings)
    assert (found.name, found.licence) == ("openai-whisper large-v3", "MIT")
    assert found.revision == "sha256 " + "a" * 64
    assert settings.caveat is None


def test_the_bundled_one_is_not_passed_off_as_openai_s():
    settings = WhisperEncoder(model="small-espeak")
    found = _encoder_of(settings)
    assert (found.name, found.licence) == ("small-espeak, m5ser's own Whisper", "Apache-2.0")
    assert "espeak-ng" in settings.caveat


def test_of_a_file_nobody_here_knows_the_licence():
    assert _encoder_of(WhisperEncoder(model="/models/mine.pt")).licence is None


def test_a_random_one_says_so():
    assert "random weights" in _encoder_of(RandomEncoder()).name
    assert "random" in RandomEncoder().caveat


@pytest.mark.parametrize(
    ("model", "licence"),
    [
        ("meta-llama/Meta-Llama-3-8B", "LicenseRef-Llama-3-Community"),
        ("meta-llama/Meta-Llama-3-70B-Instruct", "LicenseRef-Llama-3-Community"),
        ("huggyllama/llama-30b", None),
        ("meta-llama/Llama-2-7b-hf", None),
        ("meta-llama/Meta-Llama-3.1-8B", None),
        ("meta-llama/Llama-3.1-8B", None),
        ("meta-llama/Llama-3.2-1B", None),
        ("meta-llama/Llama-3.3-70B-Instruct", None),
        ("somebody/Meta-Llama-3-8B", None),
    ],
)
def test_llama_3_s_licence_is_said_of_llama_3_alone(model, licence):
    llama = PretrainedLlama(model=model, revision="0" * 40)
    found = base_models(tiny_recipe().model_copy(update={"language_model": llama}))[1]
    assert (found.name, found.licence) == (model, licence)
