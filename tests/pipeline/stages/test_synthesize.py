"""From lines to takes with an engine that tells no phones, has voices by seed, and may fail."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import soundfile

from pipeline import tables
from pipeline.audio import decode_flac
from pipeline.engine import release
from pipeline.languages import Language
from pipeline.prosody.profile import measure
from pipeline.recipe import Recipe
from pipeline.records import Recording, Utterance
from pipeline.stages import synthesis_job, synthesize, takes, voices
from pipeline.stages.references import Reference
from pipeline.stages.synthesis_job import Neutral, SynthesisJob
from pipeline.store import Store, to_json
from pipeline.synthesis.base import Speech
from pipeline.synthesis.command import Command
from pipeline.synthesis.espeak import count_phones
from tests.pipeline.prosody.signals import voice

PROGRAM = """
import json, math, struct, sys, wave
for line in sys.stdin:
    asked = json.loads(line)
    if asked["text"] == "Schweig!":
        print(json.dumps({"error": "no"}), flush=True)
        continue
    hz = 110 + asked["seed"] % 60 + 7 * len(asked["references"])
    with wave.open(asked["out"], "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        for at in range(16000):
            phase = (at * hz / 16000) % 1
            loud = 0.6 + 0.4 * math.sin(at / 900)
            file.writeframesraw(struct.pack("<h", int(12000 * loud * math.exp(-9 * phase))))
    print(json.dumps({"hit_length_cap": asked["text"].startswith("Ja")}), flush=True)
"""
TEXTS = {"u0": "Die Kinder reden an der Tür.", "u1": "Ja, ja, ja!", "u2": "Schweig!"}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


class Bench:
    """A batch of three lines of one speaker, and an engine that clones."""

    def __init__(self, folder: Path) -> None:
        program = folder / "program.py"
        program.write_text(PROGRAM)
        clip = folder / "clip.wav"
        random = np.random.default_rng(0)
        pulses = np.exp(-9 * ((np.arange(16_000) * 200 / 16_000) % 1)) * 0.4
        samples = pulses + 0.001 * random.standard_normal(16_000)
        soundfile.write(clip, samples.astype(np.float32), 16_000)
        self.store = Store(str(folder / "work"))
        self.engine = Command(command=(sys.executable, "-I", str(program))).allowed()
        utterances = [
            Utterance(id, "manifest", "Go!", "angry", "anna", "female", "CC0-1.0", Recording(clip))
            for id in TEXTS
        ]
        self.write("utterances", map(tables.utterance_row, utterances), tables.UTTERANCES)
        self.write("sources", ({"id": id} for id in TEXTS), tables.SOURCES)
        lines = ({"source_id": id, "language": "de", "text": t} for id, t in TEXTS.items())
        self.write("lines", lines, tables.LINES)

    def write(self, stage: str, rows: Any, schema: pa.Schema) -> None:
        self.store.write(stage, "key", tables.table(rows, schema))

    def takes(
        self, origin: str, neutrals: Mapping[str, Neutral] = MappingProxyType({})
    ) -> list[dict[str, Any]]:
        recipe = Recipe.model_validate(
            {
                "name": "tiny",
                "corpus": {"engine": "quickstart"},
                "languages": ["de"],
                "synthesis": self.engine.model_dump(),
                "prosody": {"from": origin},
                "takes": 2,
            }
        ).model_copy(update={"synthesis": self.engine})
        references = {id: (Reference("key", id, "clip"),) for id in TEXTS}
        job = SynthesisJob(
            "de", "key", "key", "key", (), {"anna": "anna"}, neutrals, references=references
        )
        synthesize.run(self.store, "out", recipe, job)
        return list(self.store.read(synthesis_job.STAGE, "out").to_pylist())


@pytest.mark.parametrize("origin", ["none", "emotion"])
def test_takes_of_an_engine_without_phones(bench: Bench, origin: str) -> None:
    rows = bench.takes(origin)
    assert [row["id"] for row in rows] == [f"{id}.de.{n}" for id in TEXTS for n in range(2)]
    good, failed = rows[:4], rows[4:]
    assert all(row["error"].endswith(": no") for row in failed)
    for row in good:
        assert row["error"] is None
        assert row["voice"] == "anna"
        assert row["hit_length_cap"] == (row["source_id"] == "u1")
        assert (row["target"] is not None) == (origin == "emotion")
        samples, rate = decode_flac(row["audio"])
        assert len(samples) / rate == pytest.approx(row["duration_s"])
    assert good[0]["audio_sha256"] != good[1]["audio_sha256"]


def test_phones_are_counted_in_the_text_and_make_the_rate(bench: Bench) -> None:
    rows = bench.takes("emotion")
    counts = [row["phone_count"] for row in rows[:4]]
    assert counts[0] == counts[1] > counts[2] == counts[3] > 4
    rates = [json.loads(row["reference"])["rate_phones_s"] for row in rows[:4]]
    assert rates[0] / rates[2] == pytest.approx(counts[0] / counts[2], rel=0.15)


def test_an_engine_s_own_count_of_phones_stays(bench: Bench) -> None:
    lines = tables.lines(bench.store.read("lines", "key"))[:1]
    speech = Speech(np.zeros(10, np.float32), 16_000, counted_phones=99)
    [[told]] = synthesize._with_phones(lines, [[speech]])
    [[counted]] = synthesize._with_phones(lines, [[replace(speech, counted_phones=None)]])
    assert [told.phone_count] == [99]
    assert [counted.phone_count] == count_phones([lines[0].text], "de")


@pytest.mark.parametrize("package", ["espeakng-loader", "pyworld", "soxr", "soundfile"])
def test_another_release_of_what_shapes_every_take_is_another_key(
    monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    recipe = Recipe.model_validate(
        {"name": "tiny", "corpus": {"engine": "quickstart"}, "languages": ["de"]}
    )
    job = SynthesisJob("de", "key", "key", "key", (), {}, {})
    before = job.key(recipe)
    assert job.key(recipe) == before
    monkeypatch.setattr(
        synthesis_job, "release", lambda one: "99" if one == package else release(one)
    )
    assert job.key(recipe) != before


def test_takes_are_named_by_what_they_are_made_of_and_not_by_where_it_lies() -> None:
    recipe = Recipe.model_validate(
        {"name": "tiny", "corpus": {"engine": "quickstart"}, "languages": ["de"]}
    )
    heard = {"u0": (Reference("batch", "u1", "clip"),)}
    job = SynthesisJob("de", "batch", "measured", "lines", ("u0",), {}, {}, heard)
    elsewhere = {"u0": (Reference("another", "u1", "clip"),)}
    moved = replace(
        job, utterances="another", sources="others", lines="again", references=elsewhere
    )
    assert moved.key(recipe) == job.key(recipe)
    for change in (
        {"contents": ("other",)},
        {"references": {"u0": (Reference("batch", "u1", "other"),)}},
    ):
        assert replace(job, **change).key(recipe) != job.key(recipe)  # type: ignore[arg-type]


def test_a_cloned_voice_is_heard_in_a_recording(bench: Bench) -> None:
    references = {"anna": (Reference("key", "u0", "clip"),)}
    door = Recipe.model_validate(
        {"name": "tiny", "corpus": {"engine": "quickstart"}, "languages": ["de"]}
    ).corpus.door
    voices.run(bench.store, "out", bench.engine, ["anna"], references, door)
    (row,) = bench.store.read(voices.STAGE, "out").to_pylist()
    assert row["voice"] == "anna"
    samples, rate = decode_flac(row["audio"])
    assert 0.5 < len(samples) / rate < 2
    assert voices.key(bench.engine, ["anna"], references) != voices.key(bench.engine, ["anna"], {})


def test_a_clone_is_measured_by_its_persons_neutral_speech(bench: Bench) -> None:
    """Its rendition has heard the emotion already; the transfer would count for all of it."""
    rendition = json.loads(bench.takes("emotion")[0]["reference"])
    neutral = {**rendition, "f0_level_st": rendition["f0_level_st"] - 5.0, "energy_db": -10.0}
    neutrals = {"anna": Neutral(json.dumps(neutral), "speaker")}
    found = json.loads(bench.takes("emotion", neutrals)[0]["reference"])
    assert found["f0_level_st"] == pytest.approx(rendition["f0_level_st"] - 5.0)
    assert found["energy_db"] == rendition["energy_db"]


@pytest.mark.parametrize(("language", "f0_yield"), [("de", 0.5), ("zh", 0.0), ("vi", 0.0)])
def test_accents_of_a_recording_take_no_language_s_tones(
    language: Language, f0_yield: float
) -> None:
    profile = to_json(measure(voice(), 16_000, 16).to_dict())
    neutrals = {"anna": Neutral(profile, "speaker")}
    recipe = Recipe.model_validate(
        {"name": "tiny", "corpus": {"engine": "quickstart"}, "languages": [language]}
    )
    job = SynthesisJob(language, "key", "key", "key", (), {}, neutrals)
    utterance = Utterance("u0", "a", "Go!", "angry", "anna", "female", "CC0-1.0", None)
    target, origin = takes._target(recipe, job, utterance, profile)
    assert target is not None
    assert (target.f0_yield, origin) == (f0_yield, "speaker")


@pytest.mark.parametrize("samples", [[], [0.1, np.nan, 0.1]])
def test_speech_that_is_no_sound_fails_its_takes_alone(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, samples: list[float]
) -> None:
    broken = Speech(np.array(samples, np.float32), 16_000)
    monkeypatch.setattr(Command, "load", lambda self: lambda requests: [broken] * len(requests))
    bench.engine = Command(command=("another",)).allowed()
    for origin in ("none", "emotion"):
        rows = bench.takes(origin)
        assert {row["error"] for row in rows} == {
            "the engine's speech is empty or has samples that are not finite"
        }
