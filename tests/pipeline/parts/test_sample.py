from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from pipeline.parts.sample import Rows, enough


@dataclass(frozen=True)
class Shard:
    name: str
    seconds: Mapping[str, float]


def shards(*seconds: Mapping[str, float]) -> list[Shard]:
    return [Shard(f"data/de/train-{at:05d}.parquet", one) for at, one in enumerate(seconds)]


def rows_of(*speech: tuple[str, float], first: int = 0) -> Rows:
    rows = Rows()
    for number, (emotion, seconds) in enumerate(speech, first):
        rows.add(emotion, seconds, f"sentence-{number}")
    return rows


def test_of_a_shuffled_set_few_shards_are_needed_and_not_the_first() -> None:
    every = shards(*[{"angry": 50.0, "sad": 50.0}] * 100)
    taken = enough(every, {"angry": 450.0, "sad": 450.0})
    assert len(taken) == 9
    assert every.index(taken[-1]) > 50
    assert taken == sorted(taken, key=lambda one: one.name)


def test_of_a_sorted_set_every_emotion_gets_its_shards() -> None:
    every = shards(*[{"angry": 100.0}] * 8, {"angry": 50.0, "sad": 50.0}, {"sad": 100.0})
    taken = enough(every, {"angry": 85.0, "sad": 15.0})
    assert {emotion for one in taken for emotion in one.seconds} == {"angry", "sad"}
    assert len(taken) <= 3


def test_the_languages_give_the_same_shards() -> None:
    german = shards(*[{"sad": 1.0}] * 9)
    polish = [Shard(one.name.replace("/de/", "/pl/"), one.seconds) for one in german]
    names = [[one.name[-10:] for one in enough(every, {"sad": 3.0})] for every in (german, polish)]
    assert names[0] == names[1]


def test_rows_are_spread_over_emotions_whatever_their_order() -> None:
    speech = [("angry", 1.0)] * 60 + [("sad", 2.0)] * 30
    taken = rows_of(*speech).spread({"angry": 10.0, "sad": 10.0})
    assert Counter(one for one, is_in in zip(speech, taken, strict=True) if is_in) == {
        ("angry", 1.0): 10,
        ("sad", 2.0): 5,
    }
    assert (
        taken.nonzero()[0].tolist()
        == rows_of(*speech).spread({"sad": 10.0, "angry": 10.0}).nonzero()[0].tolist()
    )


@pytest.mark.parametrize("budget_s", [0.3, 1.0, 7.7, 33.0])
def test_the_hours_are_never_exceeded(budget_s: float) -> None:
    speech = [("angry", 0.5 + number / 10) for number in range(20)]
    rows = rows_of(*speech, ("happy", 0.0), ("bored", 1.0))
    taken = rows.spread({"angry": budget_s, "happy": 0.0})
    assert sum(s for (_, s), is_in in zip(speech, taken, strict=False) if is_in) <= budget_s
    assert not taken[-1], "of an emotion that is not wanted"


def test_more_hours_hold_the_fewer() -> None:
    rows = rows_of(*[("sad", 1.0), ("angry", 1.5)] * 40)
    few, many = (rows.spread({"sad": s, "angry": 1.5 * s}) for s in (5.0, 20.0))
    assert few.sum() < many.sum()
    assert not (few & ~many).any()


def test_no_row_gives_none() -> None:
    assert Rows().spread({"sad": 1.0}).tolist() == []
