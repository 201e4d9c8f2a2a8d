"""What goes with the emotion besides it is told in the card."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline.cards.card import render_card
from pipeline.cards.confounds import Confounds, confounds
from pipeline.dataset.reading import open_folder

Make = Callable[..., Path]
Rows = list[dict[str, Any]]


def found(folder: Path) -> Confounds:
    with open_folder(folder) as dataset:
        return confounds(dataset)


def test_which_emotions_got_less_of_the_transfer(
    make_dataset_folder: Make, kept_rows: Rows
) -> None:
    assert found(make_dataset_folder("one")).strengths is None
    for row in kept_rows:
        row["strength"] = (
            1.0 if row["emotion"] == "sad" or row["speaker_id"] == "speaker-1" else 0.8
        )
    folder = make_dataset_folder("two", kept=kept_rows)
    strengths = found(folder).strengths
    assert strengths.header[1] == "angry"
    assert strengths.rows[0][:2] == ["1", "50 %"]
    assert strengths.rows[1][strengths.header.index("sad")] == "0 %"
    assert "| 0.8 | 50 % |" in render_card(folder)


def test_takes_that_were_turned_down_lest_they_clip(
    make_dataset_folder: Make, kept_rows: Rows
) -> None:
    assert found(make_dataset_folder("none")).turned_down == []
    for row in kept_rows:
        loud = row["emotion"] == "angry" and row["language"] == "de"
        row["limited_db"] = 7.34 if loud else 0.0
    folder = make_dataset_folder("loud", kept=kept_rows)
    assert found(folder).turned_down == [("angry", "50 %", "7.3")]
    said = "Of the angry takes 50 % are less loud than they were asked to be, by up to 7.3 dB"
    assert said in render_card(folder)


def test_every_sentence_with_one_emotion_alone_is_said(
    make_dataset_folder: Make, kept_rows: Rows
) -> None:
    folder = make_dataset_folder("nested")
    assert found(folder).of_one_emotion == found(folder).sentences == 14
    assert "Every sentence was said with one emotion alone." in render_card(folder)
    for row in kept_rows:
        row["source_text"] = "The same." if row["emotion"] in ("angry", "sad") else row["text"]
    crossed = found(make_dataset_folder("crossed", kept=kept_rows))
    assert (crossed.sentences, crossed.of_one_emotion) == (21, 20)


def test_the_voices_of_each_split_by_gender(dataset_folder: Path) -> None:
    genders = found(dataset_folder).genders
    assert genders.rows == [["female", "1", "0", "0"], ["male", "0", "0", "1"]]


def test_of_voices_whose_gender_nobody_knows_none_is_denied(
    make_dataset_folder: Make, kept_rows: Rows
) -> None:
    for row in kept_rows:
        row["gender"] = "unknown"
    card = render_card(make_dataset_folder(kept=kept_rows))
    assert "of some it is not known" in card
    assert "no other gender is in it" not in card
