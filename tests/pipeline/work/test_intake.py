"""The intake: what can't be opened is for the door to say, and stops nobody."""

import errno
import json
import os
from dataclasses import replace
from itertools import chain

import numpy as np
import pytest

from pipeline.corpora.quickstart import Quickstart
from pipeline.engine import file_sha256
from pipeline.errors import InputError
from pipeline.recipe_file import load_recipe
from pipeline.records import Utterance
from pipeline.store import open_store
from pipeline.work.intake import Intake, admitted, groups, take_in

CLIP = "03-01-05-01-02-01-01.wav"
ROW = {"text": "Hello there.", "emotion": "sad", "speaker": "me", "licence": "CC0-1.0"}


def utterance(name):
    return Utterance(name, "manifest", "Go!", "angry", "anna", "female", "CC0-1.0")


def grouped(names, size):
    return [[one.id for one in group] for group in groups(map(utterance, names), size)]


@pytest.mark.parametrize("size", [1, 2, 13, 64])
def test_groups_are_all_utterances_in_their_order(size):
    names = [f"u{number}" for number in range(200)]
    found = grouped(names, size)
    assert [name for group in found for name in group] == names
    assert all(-(-size // 2) <= len(group) <= size for group in found[:-1])
    assert 1 <= len(found[-1]) < size + (size == 1)
    assert grouped(names[:1], size) == [names[:1]]
    assert grouped([], size) == []


def _without(names, at):
    return [*names[:at], *names[at + 1 :]]


@pytest.mark.parametrize("size", [13, 64])
def test_an_utterance_more_or_less_leaves_most_groups_what_they_were(size):
    names = [f"u{number}" for number in range(600)]
    before = grouped(names, size)
    for change in (lambda at: [*names[:at], "new", *names[at:]], lambda at: _without(names, at)):
        lost = []
        for at in range(0, 600, 25):
            after = grouped(change(at), size)
            lost.append(sum(group not in after for group in before))
        assert np.mean(lost) < 4


def test_a_recording_that_cannot_be_opened_comes_in_for_the_door_to_refuse(tmp_path):
    paths = ["a" * 300 + ".wav", "gone.wav", "."]
    lines = [json.dumps({**ROW, "path": path}) for path in paths]
    (tmp_path / "list.jsonl").write_text("\n".join(lines))
    recipe = load_recipe("own-recordings", [f"corpus.path={tmp_path / 'list.jsonl'}"])
    intake = take_in(open_store(str(tmp_path / "work")), recipe)
    assert (intake.utterances, intake.unreadable) == (3, [])


def test_a_recording_that_cannot_be_read_now_ends_the_intake(tmp_path, monkeypatch):
    (tmp_path / CLIP).touch()
    recipe = load_recipe("ravdess", [f"corpus.path={tmp_path}"])

    def fails(path):
        raise OSError(errno.ESTALE, os.strerror(errno.ESTALE), str(path))

    monkeypatch.setattr("pipeline.work.intake.file_sha256", fails)
    with pytest.raises(OSError, match="Stale file handle"):
        take_in(open_store(str(tmp_path / "work")), recipe)
    assert not (tmp_path / "work").exists()


def test_a_file_of_which_many_rows_are_parts_is_hashed_once(tmp_path, monkeypatch):
    (tmp_path / "long.wav").write_bytes(b"not heard yet")
    parts = [{**ROW, "path": "long.wav", "start": n, "end": n + 1} for n in range(40)]
    (tmp_path / "list.jsonl").write_text("\n".join(map(json.dumps, parts)))
    recipe = load_recipe("own-recordings", [f"corpus.path={tmp_path / 'list.jsonl'}"])
    hashed = []

    def counting(path):
        hashed.append(path)
        return file_sha256(path)

    monkeypatch.setattr("pipeline.work.intake.file_sha256", counting)
    store = open_store(str(tmp_path / "work"))
    before = take_in(store, recipe)
    assert (before.utterances, hashed) == (40, [tmp_path / "long.wav"])
    (tmp_path / "long.wav").write_bytes(b"another take of it")
    assert {one.key for one in take_in(store, recipe).batches}.isdisjoint(
        one.key for one in before.batches
    )


def test_names_that_are_no_utf_8_are_failed_rows_that_can_be_written(tmp_path):
    below = tmp_path / os.fsdecode(b"caf\xe9")
    below.mkdir()
    for clip in (below / CLIP, tmp_path / os.fsdecode(b"caf\xe9.wav")):
        clip.touch()
    recipe = load_recipe("ravdess", [f"corpus.path={tmp_path}"])
    intake = take_in(open_store(str(tmp_path / "work")), recipe)
    clip, name = sorted(intake.unreadable, key=lambda entry: entry.id, reverse=True)
    assert intake.utterances == 0
    assert "'caf\\udce9' in the path of its recording is not UTF-8: rename it" in clip.error
    assert "'caf\\udce9.wav' is not a RAVDESS file name" in name.error
    assert "\udce9" not in clip.error + name.error + name.id


def test_an_utterance_that_names_a_corpus_which_no_engine_is_ends_the_intake_in_a_sentence():
    [one, *_] = Quickstart().read()
    with pytest.raises(InputError, match=r"corpora.yaml has no entry 'quick-start': every corpus"):
        list(admitted([replace(one, corpus="quick-start")], Intake()))


def test_an_id_that_stands_twice_is_refused_with_its_ways_out():
    intake = Intake()
    assert len(list(admitted(chain(Quickstart().read(), Quickstart().read()), intake))) == 91
    assert len(intake.unreadable) == 91
    assert intake.unreadable[0].error.endswith(
        "ids are unique in a corpus; give each row its own in a column `id`, or the list another "
        "file name"
    )


def keys_of(tmp_path, rows):
    (tmp_path / "list.jsonl").write_text("\n".join(map(json.dumps, rows)))
    recipe = load_recipe("own-recordings", [f"corpus.path={tmp_path / 'list.jsonl'}"])
    return [batch.key for batch in take_in(open_store(str(tmp_path / "work")), recipe).batches]


def test_a_batch_is_named_by_its_recordings_and_not_by_where_they_lie(tmp_path):
    for name, content in {"a.wav": b"one", "moved.wav": b"one", "b.wav": b"two"}.items():
        (tmp_path / name).write_bytes(content)
    text_only = keys_of(tmp_path, [ROW])
    a, moved, b, gone = (
        keys_of(tmp_path, [{**ROW, "id": "one", "path": path}])
        for path in ("a.wav", "moved.wav", "b.wav", "gone.wav")
    )
    assert a == moved
    assert len({*text_only, *a, *b, *gone}) == 4
    [without] = keys_of(tmp_path, [{**ROW, "id": "one"}])
    assert [without] != gone
