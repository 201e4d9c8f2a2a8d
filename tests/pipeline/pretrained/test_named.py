"""Models by name and revision or by path; the Hub is a server of this machine, or nobody."""

from __future__ import annotations

import json
import os
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from pipeline.errors import InputError
from pipeline.pretrained.named import (
    ModelError,
    Pretrained,
    folder_sha256,
    model_folder,
    pinned_revision,
)
from pipeline.pretrained.present import lacking_model

COMMIT = "1234567890abcdef1234567890abcdef12345678"


class Hub(BaseHTTPRequestHandler):
    """Answers as the Hub does; what a name stands for is in the name."""

    def do_GET(self):
        if "nobody/gated" in self.path:
            return self._answer(403, "GatedRepo")
        if "nobody/missing" in self.path:
            return self._answer(404, "RepoNotFound")
        if "revision/none" in self.path:
            return self._answer(404, "RevisionNotFound")
        return self._answer(200, body={"id": "nobody/model", "sha": COMMIT, "siblings": []})

    def _answer(self, status, error=None, body=None):
        content = json.dumps(body or {}).encode()
        self.send_response(status)
        if error:
            self.send_header("X-Error-Code", error)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        """Says nothing."""


@pytest.fixture
def no_hub(monkeypatch, tmp_path):
    """No network and an empty cache."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def hub(monkeypatch, no_hub):
    """A Hub that knows a model, and how to refuse the others."""
    from huggingface_hub import constants

    server = HTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    yield
    server.shutdown()
    server.server_close()


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "model"
    path.mkdir()
    (path / "config.json").write_text("{}")
    (path / "model.safetensors").write_bytes(b"weights")
    return path


def test_a_name_is_pinned_to_the_commit_that_it_stands_for(hub):
    assert pinned_revision("nobody/model", None) == COMMIT
    assert pinned_revision("nobody/model", COMMIT) == COMMIT


def test_a_gated_model_says_how_to_get_in(hub):
    with pytest.raises(ModelError, match=r"'nobody/gated' is gated.*token"):
        pinned_revision("nobody/gated", None)


def test_a_model_that_is_not_there_is_named(hub):
    with pytest.raises(ModelError, match="the Hub has no 'nobody/missing'"):
        pinned_revision("nobody/missing", None)


def test_a_revision_that_is_not_there_is_named(hub):
    with pytest.raises(ModelError, match="'nobody/model' has no revision 'none'"):
        pinned_revision("nobody/model", "none")


@pytest.mark.parametrize("use", [pinned_revision, model_folder])
def test_no_network_and_no_cache_gives_the_command_that_helps(no_hub, use):
    with pytest.raises(ModelError, match=r"can't be reached.*`hf download nobody/model`"):
        use("nobody/model", None)


def test_no_network_names_the_revision_in_the_command(no_hub):
    with pytest.raises(ModelError, match=f"hf download nobody/model --revision {COMMIT}"):
        model_folder("nobody/model", COMMIT)


@pytest.mark.parametrize("name", ["./none", "/none/at/all", "~/none", "a/b/c"])
def test_a_path_is_no_name(name):
    with pytest.raises(ModelError, match="there is no folder"):
        pinned_revision(name, None)


def test_a_name_that_can_not_be_one_is_refused(no_hub):
    with pytest.raises(ModelError, match="neither a folder nor a name"):
        pinned_revision("no spaces", None)


def test_the_errors_end_the_command_as_wrong_input():
    assert issubclass(ModelError, InputError)


def test_a_folder_is_pinned_by_its_files(folder, tmp_path):
    before = pinned_revision(str(folder), None)
    assert before == folder_sha256(folder)
    (folder / "README.md").write_text("no file of the model")
    assert folder_sha256(folder) == before
    (folder / "model.safetensors").write_bytes(b"other weights")
    assert folder_sha256(folder) != before


def test_another_folder_than_the_pinned_one_is_refused(folder):
    assert model_folder(str(folder), folder_sha256(folder)) == folder
    with pytest.raises(ModelError, match=r"the recipe pins 0+; get the pinned files"):
        model_folder(str(folder), "0" * 64)


def test_pickles_are_refused_unless_they_are_allowed(folder):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match=r"no safetensors.*allow_pickle: true"):
        model_folder(str(folder), None)
    assert model_folder(str(folder), None, allow_pickle=True) == folder


def test_a_folder_without_weights_is_refused(folder):
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="has no weights"):
        model_folder(str(folder), None, allow_pickle=True)


class Engine(Pretrained):
    """The least engine."""

    engine: str = "least"
    model: str = "nobody/model"


def test_a_pinned_folder_counts_by_its_files_and_a_name_by_itself(folder, tmp_path):
    here = Engine(model=str(folder)).pinned()
    folder.rename(tmp_path / "moved")
    there = Engine(model=str(tmp_path / "moved")).pinned()
    assert here.revision == there.revision
    assert here.fingerprint() == there.fingerprint()
    assert Engine(revision=COMMIT).fingerprint() != Engine(revision="0" * 40).fingerprint()
    other = Engine(model="nobody/other", revision=COMMIT)
    assert other.fingerprint() != Engine(revision=COMMIT).fingerprint()


def test_a_home_that_nobody_has_holds_no_model(no_hub):
    with pytest.raises(ModelError, match=r"there is no folder '~nobody-here/model'"):
        pinned_revision("~nobody-here/model", None)
    [lack] = lacking_model("~nobody-here/model", None)
    assert lack.what == "the folder '~nobody-here/model' of a model"


@pytest.mark.parametrize("odd", ["pipe", "device", "folder"])
def test_what_never_ends_is_not_read(tmp_path, odd):
    path = tmp_path / "model.safetensors"
    if odd == "pipe":
        os.mkfifo(path)
    elif odd == "device":
        path.symlink_to("/dev/zero")
    else:
        path.mkdir()
    with pytest.raises(ModelError, match=r"model.safetensors' is no file: take it out"):
        pinned_revision(str(tmp_path), None)
