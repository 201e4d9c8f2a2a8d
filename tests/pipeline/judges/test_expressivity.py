"""Pauses and rates, beside those of the source."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pipeline.judges.expressivity import Expressivity, pause_agreement, timing
from pipeline.judges.syllables import count_syllables


@pytest.mark.parametrize(
    ("language", "text", "count"),
    [
        ("en", "Kids are talking by the door.", 7),
        ("en", "I hate it when she takes my cakes.", 8),
        ("de", "Der Hund sitzt vor der Tür.", 6),
        ("it", "Ti amo da morire", 7),
        ("es", "¿Dónde está la niña?", 7),
        ("fr", "une porte fermée", 4),
        ("zh", "我爱你，妈妈。", 5),
        ("en", "123", 0),
        ("pl", "Źródła są gdzieś daleko.", 7),
        ("tr", "Kapının önünde", 6),
        ("ru", "Мой ёжик, иди домой!", 7),
        ("el", "Καλημέρα", 4),
        ("ja", "きょう、私は行く。", 6),
        ("ko", "안녕하세요", 5),
        ("hi", "नमक", 3),
        ("fr", "un café", 3),
        ("fr", "beauté fermés", 4),
        ("fr", "une tête fidèle", 4),
        ("fr", "cafe\u0301", 2),
        ("en", "café", 2),
        ("cy", "cwm dŵr", 2),
        ("cs", "prst krk vlk", 3),
        ("cs", "bratr perla lže", 5),
        ("cs", "vepř křtiny", 3),
        ("sk", "vŕba kĺb", 3),
        ("hr", "krv prljav", 3),
        ("bs", "krv", 1),
        ("sl", "smrt prag", 2),
        ("sr", "крв прст рука", 4),
        ("mk", "прст", 1),
        ("de", "krk", 0),
        ("ru", "моя", 2),
        ("uk", "моя країна", 5),
        ("be", "мая воўк", 3),
        ("bg", "моята", 3),
        ("kk", "сиыр", 2),
        ("ka", "გააკეთა", 4),
    ],
)
def test_syllables_by_spelling(language, text, count):
    assert count_syllables(text, language) == count


def test_timing_tells_pauses_from_short_gaps_and_from_silence_at_the_ends():
    speech = np.array([0, 0, 1, 1, 0, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1, 0], float)
    found = timing(speech)
    assert found.speech_s == pytest.approx((8 + 1) * 0.032)
    assert found.pauses == ((4 / 8, pytest.approx(4 * 0.032)),)
    assert timing(np.zeros(5)) is None


def test_pauses_agree_by_length_and_by_place():
    assert pause_agreement((), ()) == 1.0
    assert pause_agreement(((0.5, 1.0),), ()) == 0.0
    assert pause_agreement(((0.5, 1.0),), ((0.5, 1.0),)) == 1.0
    assert pause_agreement(((0.5, 1.0),), ((0.5, 0.25),)) == pytest.approx(0.25)
    assert pause_agreement(((0.25, 1.0),), ((0.75, 1.0),)) == pytest.approx(0.5)


def test_a_pause_without_a_partner_counts_by_its_length():
    two, one = ((0.2, 0.3), (0.8, 0.5)), ((0.8, 0.5),)
    assert pause_agreement(two, one) == pytest.approx(1.0 / 1.3)
    assert pause_agreement(one, two) == pytest.approx(1.0 / 1.3)


def test_a_clip_agrees_with_itself_and_less_with_a_pause_put_in(context, make_item):
    judge_batch = Expressivity().load(context)
    clip = make_item("kids").samples
    middle = len(clip) // 2
    quiet = np.zeros(16_000, np.float32)
    broken = np.concatenate([clip[:middle], quiet, clip[middle:]])
    source = {"source": clip, "source_text": make_item("kids").text}
    same, paused = judge_batch([make_item(**source), make_item(samples=broken, **source)])
    assert same["pause_agreement"] == pytest.approx(1.0)
    assert same["syllables_per_s"] == pytest.approx(same["source_syllables_per_s"])
    assert 3 < same["syllables_per_s"] < 9
    assert paused["pause_agreement"] < 0.6
    assert paused["pause_s"] > same["pause_s"] + 0.5
    assert paused["syllables_per_s"] == pytest.approx(same["syllables_per_s"], rel=0.25)


def test_silence_has_neither_rate_nor_pauses(context, make_item):
    silence = np.zeros(16_000, np.float32)
    [scores] = Expressivity().load(context)([make_item(samples=silence, source=silence)])
    assert all(math.isnan(value) for value in scores.values())


def test_what_is_not_known_is_nan_and_the_rest_is_told(context, make_item):
    clip, silence = make_item("kids").samples, np.zeros(16_000, np.float32)
    spoken = {"source": clip, "source_text": make_item("kids").text}
    answers = Expressivity().load(context)(
        [
            make_item(source=None, source_text=spoken["source_text"]),
            make_item(source=clip, source_text=None),
            make_item(samples=silence, **spoken),
            make_item(text="123", **spoken),
        ]
    )
    pauses = {"pause_agreement", "pause_s"}
    own, theirs = "syllables_per_s", "source_syllables_per_s"
    told = [{name for name, value in one.items() if math.isfinite(value)} for one in answers]
    assert told == [{own}, {own, *pauses}, {theirs}, {theirs, *pauses}]


def test_a_quiet_clip_pauses_where_the_same_clip_does_aloud(context, make_item):
    clip = make_item("kids").samples
    quiet = clip * np.float32(10 ** (-30 / 20))
    source = {"source": clip, "source_text": make_item("kids").text}
    loud, soft = Expressivity().load(context)(
        [make_item(samples=s, **source) for s in (clip, quiet)]
    )
    assert soft == pytest.approx(loud)
