"""The folds of `benchmarks.unheard_voices`: what is tested was heard by nobody."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.unheard_voices import Fold, folds_of, prosody_of, read_takes, write_fold
from pipeline.audio import encode_flac

VOICES = ("anna", "bela", "carla", "dora", "emil")


def test_every_voice_is_tested_once_and_others_choose_the_step():
    folds = list(folds_of(VOICES))
    assert [fold.test for fold in folds] == [("anna", "bela"), ("carla", "dora"), ("emil",)]
    assert folds[0].validation == ("carla", "dora")
    assert folds[1].validation == ("emil", "anna")
    assert folds[2].validation == ("anna", "bela")


def test_no_split_has_a_voice_or_a_sentence_of_another_and_none_but_training_a_reject(tmp_path):
    # Every voice reads a sentence of its own and one that anna reads too; each has a spare take.
    takes = pa.table(
        {
            "take_id": [f"{voice}-{n}" for voice in VOICES for n in range(4)],
            "source_id": [
                name for voice in VOICES for name in (voice, "of-anna", voice, "of-anna")
            ],
            "speaker_id": [voice for voice in VOICES for _ in range(4)],
            "kept": [True, True, False, False] * len(VOICES),
        }
    )
    write_fold(takes, Fold(("anna",), ("bela",)), tmp_path)
    found = {
        split: pq.read_table(tmp_path / "data" / "all" / f"{split}-00000.parquet")
        for split in ("train", "validation", "test")
    }
    names = {split: sorted(table["take_id"].to_pylist()) for split, table in found.items()}
    assert names["test"] == ["anna-0", "anna-1"]
    assert names["validation"] == ["bela-0"]
    assert names["train"] == [f"{v}-{n}" for v in ("carla", "dora", "emil") for n in (0, 2)]


def test_takes_are_read_with_the_rejects_that_the_recipe_trains_on(tones):
    counts = {rejects: len(read_takes(tones, rejects)) for rejects in ("none", "spare", "all")}
    assert 0 < counts["none"] <= counts["spare"] <= counts["all"]
    assert counts["none"] < counts["all"]
    takes = read_takes(tones, "all")
    assert sum(takes["kept"].to_pylist()) == counts["none"]


def test_a_clip_without_a_voice_has_a_profile_of_zeros():
    times_s = np.arange(16_000) / 16_000
    voice = 0.1 * np.sin(2 * np.pi * 150 * times_s) + 0.1 * np.sin(2 * np.pi * 300 * times_s)
    clips = {"voice": voice, "silence": np.zeros(16_000)}
    audio = [{"bytes": encode_flac(x.astype(np.float32), 16_000)} for x in clips.values()]
    found = prosody_of(pa.table({"take_id": list(clips), "audio": audio}))
    assert found["voice"].shape == found["silence"].shape
    assert found["voice"].any() and not found["silence"].any()
