"""What an evaluation is of, what its intervals are drawn over, and how it is printed."""

import io
from types import SimpleNamespace

import numpy as np
import pytest
from rich.console import Console

from model.evaluation.evaluate import clusters, evaluate

LABELS = ("angry", "sad")


class Clips:
    """A test split, as far as an evaluation goes: a clip a name, two to an utterance."""

    labels = LABELS

    def __init__(self, speakers, languages=None, dropped=None):
        count = len(speakers)
        self.names, self.spoken = speakers, languages or ["en"] * count
        self.dropped = dropped or {}
        numbers = np.arange(count)
        self.rows = SimpleNamespace(emotions=numbers % 2, sources=numbers // 2)

    def __len__(self):
        return len(self.names)

    def speakers(self):
        return np.array(self.names)

    def languages(self):
        return np.array(self.spoken, dtype=object)


def evaluated(clips, *caveats):
    said = np.eye(2)[clips.rows.emotions]
    return evaluate(said, None, clips, {}, "the recordings of list.csv", caveats)


def printed(found):
    console = Console(width=200, record=True, file=io.StringIO())
    found.print_to(console)
    return console.export_text()


def test_speakers_are_drawn_where_they_are_enough():
    names = [f"speaker-{number % 8}" for number in range(16)]
    drawn, found = clusters(Clips(names), np.full(16, True))
    assert (drawn, list(found)) == ("speakers", names)


@pytest.mark.parametrize(
    "names",
    [["anna", "bela"] * 8, [f"speaker-{number}" for number in range(15)] + [""]],
    ids=["two", "one-unknown"],
)
def test_utterances_with_their_renditions_are_drawn_elsewhere(names):
    drawn, found = clusters(Clips(names), np.full(16, True))
    assert (drawn, found.tolist()) == ("utterances", [n // 2 for n in range(16)])


def test_a_language_of_two_speakers_is_not_drawn_over_them_because_another_has_eight():
    speakers = [f"speaker-{number % 8}" for number in range(16)] + ["anna", "bela"] * 8
    found = evaluated(Clips(speakers, ["en"] * 16 + ["pl"] * 16))
    assert found.drawn == {"all": "speakers", "en": "speakers", "pl": "utterances"}
    assert found.as_dict()["intervals_over"] == found.drawn
    assert found.intervals.endswith("a bootstrap over speakers, and for pl over utterances.")
    assert found.intervals in printed(found)


def test_where_no_language_has_enough_speakers_of_its_own_each_is_drawn_over_utterances():
    speakers = [f"speaker-{number // 2}" for number in range(16)]
    found = evaluated(Clips(speakers, ["en"] * 8 + ["pl"] * 8))
    assert found.intervals.endswith("over speakers, and for each language over utterances.")


def test_an_evaluation_says_of_what_it_is_and_what_was_left_out():
    dropped = {f"label '{n}'": 1 for n in range(20)} | {"label 'bored'": 7, "unusable audio": 2}
    found = evaluated(Clips(["anna"] * 8, dropped=dropped), "Nobody looked.")
    remarks = found.remarks()
    assert remarks[:2] == [
        "Rows that were left out: 7, label 'bored'.",
        "Rows that were left out: 2, unusable audio.",
    ]
    assert remarks[-2:] == ["Rows that were left out: 12, for other reasons.", "Nobody looked."]
    assert found.as_dict()["dropped"] == dropped
    assert found.as_dict()["tested"] == "the recordings of list.csv"
    text = printed(found)
    assert all(one in text for one in ("On the recordings of list.csv", *remarks))
    [warning] = found.warnings()
    assert warning.startswith("27 rows were left out for their label ('bored' 7x, ")
    assert text.startswith(warning[:80])


def test_a_language_of_somebody_s_set_is_printed_as_it_is():
    text = printed(evaluated(Clips(["anna"] * 8, ["de[/x] \x1b[2J"] * 8)))
    assert "de[/x] [2J" in text
