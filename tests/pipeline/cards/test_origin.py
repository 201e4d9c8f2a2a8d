"""What a card says of the synthesizer's own emotion, of a dry run, and of a part of a set."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import TypeAdapter

from pipeline.cards.card import render_card
from pipeline.synthesis.espeak import Espeak

Make = Callable[..., Path]

NONE = {"from": "none", "strengths": [1.0]}
SHAPED = (
    "with the emotion put on by measured means, so that",
    "The emotion label is what was *asked* of the synthesizer, not what a listener heard.",
    "The prosody is that of English speakers or of published averages, in every language.",
    "what the synthesizer said before its prosody was changed is not kept",
    "how much of the wanted prosody was put on",
    "`emotion_id` | what was asked for;",
    "The prosody distance compares all that was asked for",
    "The figures say that the transfer worked",
)
OWN = (
    "with no emotion but what the synthesizer gives by itself, so that",
    "The emotion label is that of the source sentence, not what a listener heard.",
    "The prosody is the synthesizer's own in every language",
    "and stored as lossless FLAC.\n",
    "| `strength`, `neutral_from` | without meaning here",
    "`emotion_id` | that of the source sentence;",
    "No prosody was asked for, so no distance from it was measured.",
)
ALONE = "nothing was transferred, so the emotion is in the words alone."
MADE_OF_IT = ": what emotion a take has beyond its words is what was made of that."
ESPEAK = {"engine": "espeak"}
XTTS = {"engine": "xtts", "revision": "abc"}
SEAMLESS = {"engine": "seamless", "revision": "abc"}
COMMAND = {"engine": "command", "command": ["speak"]}
HEARD = "heard the line's own recording, where there is one"
ALIKE = (
    "heard the line's own recording and others of the same speaker and emotion, where there are any"
)
TOLD = "was told the line's emotion"


def missing(texts: tuple[str, ...], card: str) -> list[str]:
    return [text for text in texts if text not in card]


@pytest.mark.parametrize("synthesis", [ESPEAK, XTTS, COMMAND])
def test_without_prosody_nothing_is_said_to_be_put_on(
    make_dataset_folder: Make, synthesis: dict[str, Any]
) -> None:
    own = {"recipe": {"prosody": NONE, "synthesis": synthesis}, "build": {"probe": None}}
    shaped = {"recipe": {"synthesis": synthesis}, "build": {"probe": None}}
    card = render_card(make_dataset_folder("own", **own))
    assert missing(OWN, card) == []
    assert missing(SHAPED, card) == list(SHAPED)
    card = render_card(make_dataset_folder("shaped", **shaped))
    assert missing(SHAPED, card) == []
    assert missing(OWN, card) == list(OWN)


@pytest.mark.parametrize(
    ("synthesis", "given"),
    [
        (XTTS, HEARD),
        ({**XTTS, "reference": "speaker_emotion"}, ALIKE),
        (SEAMLESS, HEARD),
        ({**COMMAND, "reference": "none"}, TOLD),
        (COMMAND, f"{TOLD} and {HEARD}"),
    ],
)
def test_a_synthesizer_that_has_more_than_the_words_is_said_to(
    make_dataset_folder: Make, synthesis: dict[str, Any], given: str
) -> None:
    card = render_card(make_dataset_folder(recipe={"prosody": NONE, "synthesis": synthesis}))
    assert f"nothing was transferred. The synthesizer {given}{MADE_OF_IT}" in card
    assert "in the words alone" not in card
    assert ("after recordings of English speech where it heard any" in card) is ("heard" in given)


class Actor(Espeak):
    """An engine that is new to the card, and told the emotion."""

    told_emotion: ClassVar[bool] = True


def test_another_engine_that_is_told_the_emotion_is_said_to(
    make_dataset_folder: Make, monkeypatch: Any
) -> None:
    monkeypatch.setattr("pipeline.cards.origin._SYNTHESIZER", TypeAdapter(Actor))
    card = render_card(make_dataset_folder(recipe={"prosody": NONE}))
    assert f"nothing was transferred. The synthesizer {TOLD}{MADE_OF_IT}" in card


def test_one_that_has_the_words_alone_is_said_to(make_dataset_folder: Make) -> None:
    card = render_card(make_dataset_folder(recipe={"prosody": NONE}))
    assert ALONE in card
    assert MADE_OF_IT not in card
    assert "after recordings of English speech" not in card


def test_a_take_spoken_after_a_recording_is_not_said_to_be_shaped_by_none(
    dataset_folder: Path, make_dataset_folder: Make
) -> None:
    none = "No recording of a person shaped any single take."
    assert none in render_card(dataset_folder)
    card = render_card(make_dataset_folder("cloned", recipe={"synthesis": XTTS}))
    assert none not in card
    assert f"varied as speakers vary. The synthesizer {HEARD}." in card


def test_a_dry_run_says_how_much_it_read(dataset_folder: Path, make_dataset_folder: Make) -> None:
    whole, dry = "nothing else was left out", "**This is a dry run**"
    card = render_card(dataset_folder)
    assert whole in card
    assert dry not in card
    assert "m5ser build recipe.yaml\n```" in card
    read = {"utterances": 3, "dropped": {}, "failed": 0}
    card = render_card(make_dataset_folder("dry", build={"limit": 3, "read": read}))
    assert whole not in card
    assert f"{dry} of the first 3 utterances of the corpus: it was built with `--limit 3`." in card
    assert "what comes after the first 3 utterances was not read, and no part was drawn" in card
    assert "m5ser build recipe.yaml --limit 3\n```" in card


def test_a_limit_beyond_the_corpus_is_not_taken_for_what_was_read(
    make_dataset_folder: Make,
) -> None:
    card = render_card(make_dataset_folder(build={"limit": 100}))
    assert "of the first 28 utterances of the corpus: it was built with `--limit 100`." in card
    one = {"utterances": 1, "dropped": {}, "failed": 0}
    card = render_card(make_dataset_folder("one", build={"limit": 1, "read": one}))
    assert "**This is a dry run** of the first utterance of the corpus" in card


def test_a_part_says_how_to_get_it_and_not_how_to_build_it(
    dataset_folder: Path, make_dataset_folder: Make
) -> None:
    built = (
        "To make the set again:",
        "m5ser build recipe.yaml",
        "gives the same bytes",
        "| Recipe fingerprint |",
        "note = {Recipe fingerprint abababababababab}",
    )
    pulled = (
        "To get the same rows again:\n\n```sh\nm5ser pull org/whole --revision abc123 "
        "--languages de,en --emotions angry --hours 1.5\n```\n\nwith m5ser 0.1.0.",
        "is that of the whole and of what was asked for",
        "| Fingerprint of the part | `abababababababab`",
        "at revision `abc123`, pulled by languages de, en; emotions angry; hours 1.5.",
        "note = {Part abababababababab of org/whole at revision abc123}",
    )
    card = render_card(dataset_folder)
    assert missing(built, card) == []
    assert missing(pulled, card) == list(pulled)
    chosen = {"languages": ["de", "en"], "emotions": ["angry"], "splits": None, "hours": 1.5}
    part = {"repository": "org/whole", "revision": "abc123", "fingerprint": "ef" * 32, **chosen}
    card = render_card(make_dataset_folder("part", rejected=[], failures=[], build={"part": part}))
    assert missing(pulled, card) == []
    assert missing(built, card) == list(built)


def test_the_name_of_a_part_s_set_is_no_command(make_dataset_folder: Make) -> None:
    part = {"repository": "a/b; rm -rf /\n```\n# owned", "revision": "main"}
    card = render_card(make_dataset_folder(rejected=[], build={"part": part}))
    assert "m5ser pull 'a/b; rm -rf / # owned' --revision main\n" in card
