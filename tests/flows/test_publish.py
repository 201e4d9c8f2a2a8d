"""`m5ser publish`, `verify` and `pull`, as a person gives them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.cli import app
from pipeline.dataset.layout import MANIFEST
from pipeline.recipe_file import parse_recipe
from pipeline.verify.findings import Findings
from pipeline.verify.remake import check_remade
from tests.hub_calls import TOKEN
from tests.hub_server import Fault, Hub

NAME = "org/tones"


def m5ser(*arguments: object, code: int = 0) -> dict:
    """The JSON of a command, or what it said on stderr."""
    done = CliRunner().invoke(app, [*map(str, arguments), "--json"])
    assert done.exit_code == code, (done.exit_code, done.output, done.exception)
    assert TOKEN not in done.output
    return json.loads(done.stdout) if done.stdout.strip() else {"error": done.stderr}


def test_a_built_set_survives_ten_cuts_and_is_made_again(workbench, hub: Hub) -> None:
    workbench.recipe |= {"shard_rows": 2, "licences": {"memory.tsv": "CC0-1.0"}}
    workbench.build()
    hub.faults = [Fault("PUT /large", times=10, cut=True)]
    published = m5ser("publish", workbench.out, NAME, "--tag", "v1")
    shards = len([*workbench.out.glob("*/*/*.parquet")])
    assert (published["sent"], published["commits"], hub.faults[0].times) == (shards, 1, 0)
    settings = [
        f"corpus.path={workbench.folder / 'list.jsonl'}",
        f"translation.path={workbench.folder / 'memory.tsv'}",
    ]
    at_home = ["--set", settings[0], "--set", settings[1]]
    verified = m5ser("verify", NAME, "--revision", "v1", "--rebuild", 3, *at_home)
    assert (verified["sound"], verified["problems"]) == (True, [])
    assert verified["checks"]["rebuild"] == "3 of 3 clips are the same, byte by byte"
    findings = Findings()
    text = (workbench.out / "recipe.yaml").read_text(encoding="utf-8")
    check_remade(workbench.out, parse_recipe(text, [*settings, "seed=7"]), 3, findings)
    assert len(findings.problems) == 3


def test_a_set_whose_recipe_cannot_be_read_is_not_made_again(my_tones: Path) -> None:
    (my_tones / "recipe.yaml").write_text("name: [")
    found = m5ser("verify", my_tones, "--rebuild", 1, code=1)
    assert {"files", "recipe"} <= set(found["wrong"])
    assert "rebuild" not in found["checks"]


def test_what_is_published_streams_by_datasets(hub: Hub, tones: Path, tmp_path: Path) -> None:
    m5ser("publish", tones, NAME)
    script = f"""
from datasets import Audio, load_dataset
for config, split, rows in (("all", "train", 18), ("de", "test", 6), ("rejects", "rejects", 6)):
    found = load_dataset("{NAME}", config, split=split, streaming=True)
    features = found.features
    found = list(found.cast_column("audio", Audio(decode=False)))
    assert len(found) == rows, (config, len(found))
    assert found[0]["audio"]["bytes"][:4] == b"fLaC"
    assert type(features["audio"]).__name__ == "Audio", features
    assert features["emotion_id"].names[0] == "angry", features
print("streamed")
"""
    environment = {
        **os.environ, "HF_ENDPOINT": hub.url, "HF_TOKEN": TOKEN, "HF_HOME": str(tmp_path / "home"),
        "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "streamed", done.stderr
    data = [one for one in hub.requests if "/resolve/" in one and one.startswith("GET")]
    assert any("data/de/test" in one for one in data)


def test_a_part_is_pulled_into_a_folder_of_its_own(hub: Hub, tones: Path, tmp_path: Path) -> None:
    m5ser("publish", tones, NAME)
    out = tmp_path / "part"
    pulled = m5ser("pull", NAME, "--languages", "de,fr", "--emotions", "angry", "--out", out)
    assert (pulled["rows"], pulled["shards"]) == (8, 4)
    assert m5ser("verify", out)["sound"]
    refused = m5ser("pull", NAME, "--out", out, code=2)
    assert "is not empty" in refused["error"]
    assert [path.name for path in tmp_path.iterdir() if "partial" in path.name] == []


def test_a_part_of_a_folder_needs_no_network(
    hub: Hub, my_tones: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(my_tones.parent)
    pulled = m5ser("pull", "tones", "--languages", "de,fr", "--emotions", "angry")
    assert (pulled["rows"], pulled["shards"], pulled["downloaded_bytes"]) == (8, 4, 0)
    out = Path("builds") / "tones-part"
    assert pulled["folder"] == str(out)
    assert m5ser("verify", out)["sound"]
    assert hub.requests == []
    [again] = re.findall(r"^m5ser (pull tones .*)$", (out / "README.md").read_text(), re.M)
    assert m5ser(*again.split(), "--out", tmp_path / "again")["rows"] == 8


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("tones", "--out", "tones"), "'tones' is not empty"),
        (("tones", "--out", "tones/part"), "'tones/part' lies in 'tones' itself"),
        (("tones", "--revision", "v1"), "not v1: leave it out"),
        (("tones", "--languages", "it"), "--languages: 'it' is not in the set"),
        ((".",), f"'.' has no {MANIFEST}"),
        (("some/nothing",), "there is no folder 'some/nothing'; as a repository: 'some/nothing'"),
    ],
)
def test_a_part_that_can_not_be_taken(
    hub: Hub,
    my_tones: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    said: str,
) -> None:
    monkeypatch.chdir(my_tones.parent)
    kept = sorted(my_tones.rglob("*"))
    assert said in m5ser("pull", *arguments, code=2)["error"]
    assert sorted(my_tones.rglob("*")) == kept


def test_a_set_that_was_changed_is_not_published(hub: Hub, my_tones: Path) -> None:
    card = (my_tones / "README.md").read_text(encoding="utf-8")
    (my_tones / "README.md").write_text(card.replace("36 takes", "63 takes"), encoding="utf-8")
    (my_tones / "notes.txt").write_text("mine")
    refused = m5ser("publish", my_tones, NAME, code=2)
    assert "card: README.md, line" in refused["error"]
    assert f"files: notes.txt: {MANIFEST} does not have it" in refused["error"]
    assert not hub.repos


def test_a_shard_with_another_content_is_named(hub: Hub, my_tones: Path) -> None:
    first, second, *_ = sorted(my_tones.glob("data/en/*.parquet"))
    size = first.stat().st_size
    content = second.read_bytes()[:size]
    first.write_bytes(content + bytes(size - len(content)))
    refused = m5ser("publish", my_tones, NAME, code=2)
    assert f"files: data/en/{first.name}: it was changed" in refused["error"]


def test_a_verification_that_finds_something_says_so_by_its_code(my_tones: Path) -> None:
    (my_tones / "report.html").write_text("")
    found = m5ser("verify", my_tones, code=1)
    assert not found["sound"]
    done = CliRunner().invoke(app, ["verify", str(my_tones)])
    assert "report.html" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("verify", "nowhere"), "neither a folder nor a repository"),
        (
            ("verify", ".", "--revision", "v1"),
            "--revision v1: '.' is a folder here, which has none",
        ),
        (("verify", ".", "--set", "seed=1"), "--set seed=1: it is for --rebuild N"),
        (("verify", "org/nothing"), "'org/nothing' was not found on the Hub"),
        (("verify", "here/nothing"), "there is no folder 'here/nothing'; as a repo"),
        (("pull", "org/nothing"), "'org/nothing' was not found on the Hub"),
        (("publish", "nowhere", NAME), f"has no {MANIFEST}"),
    ],
)
def test_what_is_not_there(hub: Hub, tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        assert said in m5ser(*arguments, code=2)["error"]


def test_a_hub_that_stays_away_is_a_failure_and_not_bad_input(hub: Hub, tones: Path) -> None:
    hub.faults = [Fault("whoami", times=99, status=503)]
    assert "the Hub can't be reached" in m5ser("publish", tones, NAME, code=1)["error"]


def test_the_token_stands_nowhere(hub: Hub, tones: Path, capfd: pytest.CaptureFixture) -> None:
    hub.faults = [Fault("PUT /large", times=3, cut=True), Fault("commit", times=2, status=503)]
    m5ser("publish", tones, NAME, "--public")
    out, error = capfd.readouterr()
    assert TOKEN not in out + error
    assert not [
        path for path, content in hub.dataset(NAME).files().items() if TOKEN.encode() in content
    ]


def test_a_set_that_may_not_be_shared_is_not_published(hub: Hub, my_tones: Path) -> None:
    from tests.tiny_set import write_set

    shutil.rmtree(my_tones)
    write_set(
        my_tones, lambda rows: [(s, {**r, "licence": "All rights reserved"}) for s, r in rows]
    )
    refused = m5ser("publish", my_tones, NAME, code=2)
    assert "its terms are not known" in refused["error"]
    assert not hub.repos
