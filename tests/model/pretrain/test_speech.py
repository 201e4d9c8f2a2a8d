"""Clips and their labels: what is heard, and when."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from model.pretrain import speech
from model.pretrain.sound import not_speech, spoil
from model.pretrain.speech import SILENCE, TRACK_S, Clip, clips
from model.pretrain.text import TAUGHT, Sentence

SENTENCE = Sentence(
    "de", "guten morgen anna", "guten morgen anna", tuple(float(i) for i in range(17))
)
EQUAL = (1 / len(TAUGHT),) * len(TAUGHT)


@pytest.fixture
def random():
    return np.random.default_rng(0)


@pytest.fixture
def sentences(monkeypatch):
    """The same sentence again and again: no word list is needed."""
    monkeypatch.setattr(speech, "draw", lambda *_: SENTENCE)


def test_labels_are_as_long_as_the_clip(sentences, random):
    made = list(clips(30, EQUAL, 8, random))
    assert len(made) >= 30
    for clip in made:
        assert len(clip.phones) == len(clip.samples) // 160
        assert len(clip.letters) == len(clip.times_s)
        assert np.all(np.diff(clip.times_s) >= 0)
        if clip.letters:
            assert 0 <= clip.times_s[0] <= clip.times_s[-1] <= len(clip.samples) / 16_000


def test_a_letter_is_heard_while_its_sound_is(sentences, random, monkeypatch):
    monkeypatch.setattr(speech, "_SHAPED_SHARE", 0.0)
    plain = next(speech._read(SENTENCE, random)[0] for _ in range(1))
    at = plain.times_s[SENTENCE.letters.index("m")]
    assert plain.phones[int(at / TRACK_S) + 4] == "m"
    assert plain.phones[0] in (SILENCE, "ɡ")


def test_prosody_transfer_moves_the_labels_with_the_sound(sentences, random, monkeypatch):
    monkeypatch.setattr(speech, "_SHAPED_SHARE", 1.0)
    takes = speech._read(SENTENCE, random)
    assert len(takes) == 3
    for take in takes:
        at = take.times_s[SENTENCE.letters.index("m")]
        near = take.phones[int(at / TRACK_S) - 5 : int(at / TRACK_S) + 12]
        assert "m" in near
        assert len(take.phones) == len(take.samples) // 160


def test_what_is_cut_off_is_not_to_be_written():
    samples = np.arange(16_000, dtype=np.float32)
    times_s = np.linspace(0.1, 0.9, 11)
    whole = Clip("de", samples, ("a",) * 50 + ("b",) * 50, "guten tag a", times_s)
    ends = set()
    for seed in range(20):
        cut = speech._cut(whole, np.random.default_rng(seed))
        ends.add(cut.letters)
        assert len(cut.phones) * 160 == len(cut.samples)
        if whole.letters.startswith(cut.letters):
            assert cut.samples[0] == 0
            assert cut.times_s[-1] <= len(cut.samples) / 16_000
        else:
            assert cut.samples[-1] == 15_999
            assert 0 <= cut.times_s[0] < 0.02
    assert ends == {"guten", "tag a", "guten tag", "a"}


def test_silence_around_a_clip_moves_its_labels(random):
    clip = Clip("de", np.ones(16_000, np.float32), ("a",) * 100, "a", np.array([0.5]))
    finished = speech._finished(clip, random)
    before = finished.phones.index("a")
    assert finished.times_s[0] == pytest.approx(0.5 + before * TRACK_S)
    assert not finished.samples[: before * 160].any()


def test_a_clip_of_nothing_has_nothing_to_write(random):
    for _ in range(8):
        clip = speech._nothing("en", random)
        assert clip.letters == ""
        assert set(clip.phones) == {SILENCE}
        assert np.isfinite(clip.samples).all()


def test_a_spoiled_clip_keeps_its_length_and_its_range(random):
    samples = np.sin(np.arange(8_000) / 10).astype(np.float32)
    for _ in range(20):
        spoiled = spoil(samples, random)
        assert spoiled.shape == samples.shape
        assert spoiled.dtype == np.float32
        assert np.abs(spoiled).max() <= 1
        assert np.abs(not_speech(800, random)).max() <= 1


def test_too_long_a_clip_is_dropped(monkeypatch, random):
    long = Clip("de", np.zeros(16_000 * 9, np.float32), ("a",) * 900, "a", np.array([0.5]))
    short = replace(long, samples=long.samples[:16_000], phones=long.phones[:100])
    answers = iter([[long], [short], [short]])
    monkeypatch.setattr(speech, "draw", lambda *_: SENTENCE)
    monkeypatch.setattr(speech, "_read", lambda *_: next(answers))
    monkeypatch.setattr(speech, "_NOTHING_SHARE", 0.0)
    assert len(list(clips(3, EQUAL, 1, random))) == 2
