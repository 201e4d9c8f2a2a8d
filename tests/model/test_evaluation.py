"""What the intervals of an evaluation are drawn over."""

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest

from model.evaluation import clusters


@dataclass
class Clips:
    """A test split of sixteen clips, as far as its clusters go."""

    names: list[str]
    rows = SimpleNamespace(sources=np.arange(16) // 2)

    def speakers(self):
        return np.array(self.names)


def test_speakers_are_drawn_where_they_are_enough():
    names = [f"speaker-{number % 8}" for number in range(16)]
    drawn, found = clusters(Clips(names))
    assert (drawn, list(found)) == ("speakers", names)


@pytest.mark.parametrize(
    "names",
    [["anna", "bela"] * 8, [f"speaker-{number}" for number in range(15)] + [""]],
    ids=["two", "one-unknown"],
)
def test_utterances_with_their_renditions_are_drawn_elsewhere(names):
    drawn, found = clusters(Clips(names))
    assert (drawn, found.tolist()) == ("utterances", [n // 2 for n in range(16)])
