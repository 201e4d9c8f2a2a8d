"""Comments in FLAC: read back, alone changed, and the samples as they were."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from pipeline.audio import decode_flac, encode_flac
from pipeline.provenance.flac import NotFlac, comments_of, samples_md5, with_comments

RATE = 16_000
CLIP = encode_flac((0.3 * np.sin(np.arange(RATE) / 20)).astype("f4"), RATE)
MARKS = {"GENERATOR": "m5ser 0.1.0", "TAKE_ID": "u1.de.0", "COMMENT": "künstliche Sprache"}
FIELD = st.from_regex(r"[A-Z_]{1,20}", fullmatch=True)


def test_comments_come_back_and_the_samples_are_the_same() -> None:
    marked = with_comments(CLIP, MARKS)
    assert comments_of(marked) == MARKS
    np.testing.assert_array_equal(decode_flac(marked)[0], decode_flac(CLIP)[0])
    assert samples_md5(marked) == samples_md5(CLIP)


def test_another_reader_finds_them() -> None:
    marked = with_comments(CLIP, {"COMMENT": "synthetic speech", "TITLE": "u1"})
    with soundfile.SoundFile(io.BytesIO(marked)) as file:
        assert file.comment == "synthetic speech"
        assert file.title == "u1"
        assert file.frames == RATE


def test_marking_twice_leaves_the_last_marks_alone() -> None:
    once = with_comments(CLIP, {"TAKE_ID": "other", "TITLE": "gone"})
    assert with_comments(once, MARKS) == with_comments(CLIP, MARKS)


@given(st.dictionaries(FIELD, st.text(max_size=200), max_size=8))
def test_any_comment_survives(marks: dict[str, str]) -> None:
    assert comments_of(with_comments(CLIP, marks)) == marks


def test_other_metadata_blocks_are_kept_and_padding_is_not() -> None:
    info_end = 4 + 4 + 34
    padding = bytes([1]) + (8).to_bytes(3, "big") + bytes(8)
    application = bytes([2]) + (4).to_bytes(3, "big") + b"test"
    padded = CLIP[:info_end] + padding + application + CLIP[info_end:]
    marked = with_comments(padded, MARKS)
    assert padding not in marked
    assert application in marked
    np.testing.assert_array_equal(decode_flac(marked)[0], decode_flac(CLIP)[0])


@pytest.mark.parametrize("broken", [b"", b"RIFF" + bytes(40), CLIP[:6], CLIP[:30], CLIP[:43]])
def test_what_is_no_flac_is_refused(broken: bytes) -> None:
    with pytest.raises(NotFlac):
        with_comments(broken, MARKS)


@pytest.mark.parametrize("count", [1, 2**32 - 1])
def test_comments_that_lie_about_their_number_are_none(count: int) -> None:
    body = bytes(4) + count.to_bytes(4, "little")
    at = 4 + 4 + int.from_bytes(CLIP[5:8], "big")
    lying = bytes([4]) + len(body).to_bytes(3, "big") + body
    with pytest.raises(NotFlac, match="not what they say"):
        comments_of(CLIP[:at] + lying + CLIP[at:])
