"""recipes/m5ser-smoke.yaml, built from its corpus to its folder by every neural engine."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from flows.cli import app
from pipeline.judges.any import AnyJudge
from pipeline.recipe_file import load_recipe
from pipeline.synthesis.any import AnySynthesizer
from pipeline.text_judges.any import AnyTextJudge
from pipeline.translation.any import AnyTranslator
from tests.checkpoints import everything
from tests.unions import names_of

RECIPE = Path(__file__).parents[2] / "recipes/m5ser-smoke.yaml"
QUICK = ("text_judges=[]", "judges=[{engine: duration}]", "gates={}", "selection={}", "takes=1")
"""Only what was spoken is looked at, by what costs nothing."""
BUZZ = """
import json, struct, sys, wave
for line in sys.stdin:
    asked = json.loads(line)
    hz = 120 + asked["seed"] % 60
    with wave.open(asked["out"], "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        saw = [int(12000 * (i * hz / 16000 % 1 - 0.5)) for i in range(16000)]
        file.writeframes(struct.pack("<16000h", *saw))
    print("{}", flush=True)
"""
"""An outside program that speaks: a voice's buzz without a mouth."""
TRANSLATORS = ("m2m100", "madlad", "marian", "seamless", "llm")
SYNTHESIZERS = {
    "espeak": {},
    "vits": {"model": {"de": "checkpoints/vits"}},
    "mms": {"engine": "vits", "model": {"de": "checkpoints/mms"}},
    "seamless": {"model": "checkpoints/seamless-speech"},
    "command": {"command": [sys.executable, "-I", "buzz.py"]},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where `checkpoints/` lies, and one work store for all."""
    folder = tmp_path_factory.mktemp("smoke")
    everything.write(folder / "checkpoints")
    (folder / "buzz.py").write_text(BUZZ)
    return folder


@pytest.fixture
def build(folder, workbench, monkeypatch):
    """Builds the smoke recipe with other fields; what the command printed, and the folder."""
    monkeypatch.chdir(folder)

    def run(out: str, *overrides: str, flags: tuple[str, ...] = ()) -> tuple[dict, Path]:
        sets = [part for one in overrides for part in ("--set", one)]
        place = ("--out", out, "--work", "work", "--json")
        done = CliRunner().invoke(app, ["build", str(RECIPE), *place, *sets, *flags])
        assert done.exit_code == 0, (done.output, done.stderr, done.exception)
        return json.loads(done.stdout.splitlines()[-1]), folder / out

    return run


def test_the_recipe_is_built_through_every_judge(build):
    result, out = build("whole")
    recipe = load_recipe(str(RECIPE))
    assert result["kept"] + result["rejected"] + result["failed"] >= 16
    assert result["kept"] >= 2
    files = [f"{out}/data/*/*.parquet", f"{out}/rejects/*/*.parquet"]
    rows = duckdb.sql(f"SELECT * FROM read_parquet({files}, union_by_name=true)").to_arrow_table()
    for row in rows.to_pylist():
        assert row["synthesizer"] == "xtts"
        assert row["translator"] == "nllb"
        assert set(row["scores"]) == set(recipe.score_names)
        heard = [name for name in row["scores"] if name.startswith(("wav2vec2_", "hubert_"))]
        assert all(math.isfinite(row["scores"][name]) for name in heard if "outside" in name)
        assert math.isfinite(row["scores"]["dimensions_distance"])
        assert math.isfinite(row["scores"]["autopcp"])
        assert -1 <= row["scores"]["wavlm_source_cosine"] <= 1.0001
    resolved = load_recipe(str(out / "recipe.yaml"))
    assert all(len(one.revision) == 64 for one in resolved.judges if hasattr(one, "revision"))


def test_both_whispers_hear_what_is_speech(build):
    first, second = "checkpoints/whisper.pt", "checkpoints/whisper-larger.pt"
    whisper = {"engine": "whisper", "model": first, "window": "short",
               "borderline": {"model": second, "between": [0, 100]}}  # fmt: skip
    spoken_in_english = ("synthesis={engine: espeak}", "languages=[en]", *QUICK)
    result, out = build("heard-twice", *spoken_in_english, f"judges={json.dumps([whisper])}")
    assert result["kept"] == 4
    scores = [row["scores"] for row in spoken(out)]
    assert all(one["heard_twice"] == one["transcribed"] == 1 for one in scores)
    assert any(one["cer"] != one["first_cer"] for one in scores)
    [judge] = load_recipe(str(out / "recipe.yaml")).judges
    assert len({judge.sha256, judge.borderline.sha256}) == 2


def test_every_engine_has_its_build():
    recipe = load_recipe(str(RECIPE))
    spoken = {settings.get("engine", name) for name, settings in SYNTHESIZERS.items()}
    assert spoken | {recipe.synthesis.engine} == set(names_of(AnySynthesizer))
    tables = {"memory"}  # what the quickstart is built with
    assert {*TRANSLATORS, recipe.translation.engine} | tables == set(names_of(AnyTranslator))
    unfitted = {"probe"}  # it needs more recordings than these
    assert {one.engine for one in recipe.judges} | unfitted == set(names_of(AnyJudge))
    assert {one.engine for one in recipe.text_judges} == set(names_of(AnyTextJudge))


@pytest.mark.parametrize("engine", TRANSLATORS)
def test_every_translator_builds_it(build, engine):
    translation = f"translation={{engine: {engine}, model: checkpoints/{engine}}}"
    result, out = build(
        f"by-{engine}", translation, "synthesis={engine: espeak}", "languages=[de]",
        "most_failed=1.0", *QUICK, flags=("--limit", "2"),
    )  # fmt: skip
    assert result["kept"] + result["rejected"] + result["failed"] == 2
    assert {row["translator"] for row in spoken(out)} <= {engine}
    # What random weights write may be beyond any voice; that they wrote is what counts.
    failures = pq.read_table(out / "failures.parquet").to_pylist()
    assert result["kept"] or {one["stage"] for one in failures} == {"synthesize"}


@pytest.mark.parametrize("name", SYNTHESIZERS)
def test_every_synthesizer_builds_it(build, name):
    settings = json.dumps({"engine": name, **SYNTHESIZERS[name]})
    flags = ("--limit", "2", *(("--allow-commands",) if name == "command" else ()))
    result, out = build(
        f"by-{name}", f"synthesis={settings}", "languages=[de]", *QUICK, flags=flags
    )
    assert result["kept"] == 2
    assert {row["synthesizer"] for row in spoken(out)} == {json.loads(settings)["engine"]}


def spoken(out: Path) -> list[dict]:
    """The rows that were kept."""
    if not list(out.glob("data/*/*.parquet")):
        return []
    return duckdb.sql(f"FROM '{out}/data/*/*.parquet'").to_arrow_table().to_pylist()
