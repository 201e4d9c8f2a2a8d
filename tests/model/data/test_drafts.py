"""Parts of clips that are killed while they are written, and that several want at once."""

import json
import multiprocessing
import os
import signal
from dataclasses import replace
from threading import Event, Thread

import pyarrow.parquet as pq
import pytest

from model.data import clips, drafts
from model.data.rows import Part, Row
from model.network.encoder import load_encoder
from model.recipe.architecture import RandomEncoder
from pipeline.audio import encode_flac
from tests.model.tiny import RATE, WIDTH, tone

ROWS = 40
"""Two whole batches and half of one."""
WHOLE = 32


@pytest.fixture(scope="module")
def encoder():
    return load_encoder(RandomEncoder(width=WIDTH, heads=2))


def some_rows():
    for number in range(ROWS):
        audio = encode_flac(tone("sad", "en", "anna", number % 7), RATE) if number != 5 else b""
        yield Row(f"clip-{number}", f"source-{number}", "sad", "en", "anna", False, audio)


PART = Part("part", "key", some_rows)


def prepare(part, folder, encoder, cache_frames=True):
    [ready] = clips.prepare([(part, 1.0)], folder, encoder, cache_frames, 30.0)
    return ready


def killed_after(rows, folder, encoder):
    """Let a process of its own write audio until it has read so many rows and is killed."""

    def until_killed():
        for number, row in enumerate(some_rows()):
            if number == rows:
                os.kill(os.getpid(), signal.SIGKILL)
            yield row

    part = replace(PART, rows=until_killed)
    fork = multiprocessing.get_context("fork")
    process = fork.Process(target=prepare, args=(part, folder, encoder, False))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL


def files(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def heard(monkeypatch):
    """The clips that are read from now on."""
    seen = []
    read = clips.read_audio
    monkeypatch.setattr(clips, "read_audio", lambda *given: (seen.append(1), read(*given))[1])
    return seen


def test_a_killed_part_is_gone_on_with_and_equals_the_uninterrupted(encoder, tmp_path, monkeypatch):
    prepare(PART, tmp_path / "whole", encoder, False)
    killed_after(WHOLE + 4, tmp_path / "killed", encoder)
    killed_after(WHOLE + 6, tmp_path / "killed", encoder)
    seen = heard(monkeypatch)
    prepare(PART, tmp_path / "killed", encoder, False)
    assert len(seen) == ROWS - WHOLE
    assert files(tmp_path / "killed") == files(tmp_path / "whole")
    assert len(files(tmp_path / "whole")) == 2


@pytest.mark.parametrize("begun", ["items", "line", "line without its items"])
def test_what_a_dead_process_had_begun_is_cut_off(encoder, tmp_path, begun):
    prepare(PART, tmp_path / "whole", encoder, False)
    killed_after(WHOLE + 4, tmp_path / "killed", encoder)
    [place] = (tmp_path / "killed").iterdir()
    if begun == "items":
        with (place / "items").open("ab") as items:
            items.write(b"half a clip")
    else:
        line = json.dumps([{"start": (place / "items").stat().st_size, "size": 9}])
        with (place / "rows.jsonl").open("a") as journal:
            journal.write(line if begun == "line" else line + "\n")
    prepare(PART, tmp_path / "killed", encoder, False)
    assert files(tmp_path / "killed") == files(tmp_path / "whole")


def test_frames_that_were_gone_on_with_equal_the_uninterrupted(encoder, tmp_path, monkeypatch):
    """In batches of the same clips: what is padded to another length is rounded otherwise."""
    prepare(PART, tmp_path / "whole", encoder)
    encode = type(encoder).encode

    def stopped(self, batch):
        if len(batch) == ROWS - WHOLE:
            raise KeyboardInterrupt
        return encode(self, batch)

    with monkeypatch.context() as stopping:
        stopping.setattr(type(encoder), "encode", stopped)
        with pytest.raises(KeyboardInterrupt):
            prepare(PART, tmp_path / "stopped", encoder)
    prepare(PART, tmp_path / "stopped", encoder)
    assert files(tmp_path / "stopped") == files(tmp_path / "whole")


def test_rows_are_tabled_in_groups(encoder, tmp_path, monkeypatch):
    monkeypatch.setattr(drafts, "_ROW_GROUP", WHOLE)
    ready = prepare(PART, tmp_path, encoder, False)
    [table] = tmp_path.rglob("rows.parquet")
    groups = pq.ParquetFile(table).metadata
    assert [groups.row_group(n).num_rows for n in range(2)] == [WHOLE, ROWS - WHOLE]
    assert ready.table["name"].to_pylist() == [f"clip-{number}" for number in range(ROWS)]
    assert ready.table["unusable"].is_valid().to_pylist() == [n == 5 for n in range(ROWS)]


def test_those_who_want_the_same_parts_share_them(encoder, tmp_path):
    """While one writes the first part the other writes the second, and each waits for the rest."""
    written, second_is_done, found = [], Event(), []

    def first_rows():
        written.append("first")
        other.start()
        assert second_is_done.wait(30), "the other one waits for a part that is being written"
        yield from some_rows()

    def second_rows():
        written.append("second")
        yield from some_rows()
        second_is_done.set()

    parts = [(Part("a", "a", first_rows), 1.0), (Part("b", "b", second_rows), 1.0)]

    def take():
        found.append(clips.prepare(parts, tmp_path, encoder, False, 30.0))

    other = Thread(target=take)
    take()
    other.join(30)
    assert sorted(written) == ["first", "second"]
    one, another = found
    assert [part.items for part in one] == [part.items for part in another]
    assert all(len(part.table) == ROWS for part in (*one, *another))
    assert len(files(tmp_path)) == 4
