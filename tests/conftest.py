"""For all tests."""

import shutil
from pathlib import Path
from types import SimpleNamespace

# Loaded before any thread starts: Python 3.11 can break when it parses in two threads at once
# ("AST constructor recursion depth mismatch"), and hypothesis' plugin would load it at the end.
import hypothesis.strategies  # noqa: F401
import pytest

from tests.hub_calls import TOKEN
from tests.hub_server import serving


@pytest.fixture
def waits(monkeypatch):
    """Seconds that would have been waited for the Hub, by us and by the client."""
    waited = []
    monkeypatch.setattr("pipeline.hub.retry.sleep", waited.append)
    monkeypatch.setattr("huggingface_hub.utils._http.time", SimpleNamespace(sleep=waited.append))
    return waited


@pytest.fixture
def hub(tmp_path, monkeypatch, waits):
    """A Hub on loopback, and the client turned to it with a token that may write."""
    from huggingface_hub import constants

    with serving() as hub:
        template = constants.HUGGINGFACE_CO_URL_TEMPLATE.replace(constants.ENDPOINT, hub.url)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "ENDPOINT", hub.url)
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub-cache"))
        monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "no-token"))
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        yield hub


@pytest.fixture(scope="session")
def tones(tmp_path_factory) -> Path:
    """A complete dataset folder, for reading."""
    from tests.tiny_set import write_set

    return write_set(tmp_path_factory.mktemp("set") / "tones")


@pytest.fixture
def my_tones(tones, tmp_path) -> Path:
    """The same, to be changed."""
    return Path(shutil.copytree(tones, tmp_path / "tones"))


@pytest.fixture(scope="session")
def smaller(tmp_path_factory) -> Path:
    """The set without French: another recipe, and other rows; for reading."""
    from tests.tiny_set import write_set

    folder = tmp_path_factory.mktemp("set") / "smaller"
    return write_set(folder, fingerprint="cd" * 32, languages=["en", "de"])
