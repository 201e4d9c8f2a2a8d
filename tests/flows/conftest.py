"""A recipe of short texts and cheap judges, whose build takes seconds; and a trained model."""

import hashlib
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from flows.cli import app
from flows.prefect_settings import prepare_prefect
from flows.runners.processes import OnThisMachine
from tests.flows.calling import LEARNING, call
from tests.model.tiny import TINY, write_set

TEXTS = {
    "en": ["Go away!", "What a lovely day!", "The bus is late.", "I miss you so much."],
    "de": ["Geh weg!", "Was für ein schöner Tag!", "Der Bus ist zu spät.", "Du fehlst mir so."],
}
EMOTIONS = ["angry", "happy", "neutral", "sad"]


@pytest.fixture(scope="session", autouse=True)
def prefect_home(tmp_path_factory):
    """One Prefect server for all builds of this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PREFECT_HOME", raising=False)
        prepare_prefect(tmp_path_factory.mktemp("prefect"))
        yield


@pytest.fixture
def drawing_workbench(tmp_path, monkeypatch):
    """A workbench whose builds are whole."""

    @contextmanager
    def one_thread(name, workers, address, per_gpu):
        with ThreadPoolExecutor(1) as executor:
            yield OnThisMachine(executor, 1)

    monkeypatch.setattr("flows.runners.opening.open_runner", one_thread)
    return Workbench(tmp_path)


@pytest.fixture
def workbench(drawing_workbench, monkeypatch):
    """A workbench whose builds draw no pictures, which is half of the time of so small a build."""
    monkeypatch.setattr("pipeline.cards.describe.write_figures", lambda folder: None)
    return drawing_workbench


class Workbench:
    """A folder with a manifest, a translation memory and a recipe, and a way to run m5ser on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows = [
            {"id": f"u{n}", "text": text, "emotion": emotion, "speaker": f"s{n}",
             "licence": "CC0-1.0", "gender": "female" if n % 2 else "male"}
            for n, (text, emotion) in enumerate(zip(TEXTS["en"], EMOTIONS, strict=True))
        ]  # fmt: skip
        self.recipe = {
            "name": "tiny",
            "corpus": {"engine": "manifest", "path": str(folder / "list.jsonl")},
            "languages": ["en", "de"],
            "translation": {"engine": "memory", "path": str(folder / "memory.tsv")},
            "prosody": {"from": "emotion", "strengths": [1.0, 0.5]},
            "takes": 2,
            "judges": [{"engine": "duration"}, {"engine": "clipping"}, {"engine": "prosody"}],
            "gates": {"length": {"score": "duration_s", "min": 0.2}},
            "selection": {"utility": {"prosody_distance": -1.0}},
            "batch_size": 1,
            "most_failed": 0.0,
            "licences": {"memory.tsv": "CC0-1.0"},
        }
        lines = ["\t".join(TEXTS), *("\t".join(pair) for pair in zip(*TEXTS.values(), strict=True))]
        (folder / "memory.tsv").write_text("\n".join(lines), encoding="utf-8")

    @property
    def out(self) -> Path:
        return self.folder / "out"

    def command(self, *arguments: str) -> list[str]:
        rows = "".join(json.dumps(row) + "\n" for row in self.rows)
        (self.folder / "list.jsonl").write_text(rows, encoding="utf-8")
        recipe = self.folder / "tiny.yaml"
        recipe.write_text(yaml.safe_dump(self.recipe), encoding="utf-8")
        return [
            *("build", str(recipe), "--json", "--work", str(self.folder / "work")),
            *("--out", str(self.out), "--workers", "2", *arguments),
        ]

    def process(self, *arguments: str) -> list[str]:
        """The command line of a build in a process of its own, with worker processes."""
        return [sys.executable, "-W", "ignore", "-m", "flows.cli", *self.command(*arguments)]

    def build(self, *arguments: str, code: int = 0) -> dict:
        """Run `m5ser build` here; its JSON, or {"error": ...} where it ends before the work."""
        done = CliRunner().invoke(app, self.command(*arguments))
        assert done.exit_code == code, (done.exit_code, done.output, done.exception)
        return json.loads(done.stdout) if done.stdout.strip() else {"error": done.stderr}

    def hashes(self, name: str = "out") -> dict[str, str]:
        """SHA-256 of every file below a folder, Prefect's own apart."""
        folder = self.folder / name
        return {
            path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*"))
            if path.is_file() and ".prefect" not in path.parts
        }


@pytest.fixture(scope="session")
def place(tmp_path_factory):
    """A trained model, as the command leaves it."""
    folder = tmp_path_factory.mktemp("place")
    write_set(folder / "set")
    data = {"sets": [{"engine": "folder", "path": str(folder / "set")}]}
    stages = [{"name": name, **LEARNING} for name in ("align", "transfer")]
    recipe = {**TINY, "data": data, "stages": stages}
    (folder / "recipe.yaml").write_text(json.dumps(recipe))
    result = call("train", folder / "recipe.yaml", "--out", folder / "m", "--work", folder / "w")
    assert result.exit_code == 0, result.output
    return folder
