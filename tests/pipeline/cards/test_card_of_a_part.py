"""The card of a set that lacks something: a part, one without rejects, or without any clip."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tests.pipeline.cards.reading import Make, card_of, header_of


def test_a_part_of_a_set_says_of_what_and_tells_no_shares(make_dataset_folder: Make) -> None:
    part = {"repository": "org/whole", "revision": "abc123"}
    card = card_of(make_dataset_folder(rejected=[], build={"part": part}))
    assert "**This is a part** of `org/whole` at revision `abc123`" in card
    assert "judged" not in card.split("## Biases")[0]
    assert "### What the gates removed" not in card
    assert "| voice | gender | speakers | kept | length |\n" in card
    assert "lost to the gates" not in card


def test_a_set_in_which_nothing_was_kept_has_a_card(make_dataset_folder: Make) -> None:
    card = card_of(make_dataset_folder(kept=[]))
    names = [config["config_name"] for config in header_of(card)["configs"]]
    assert names == ["rejects", "failures"]
    assert "0 takes" in card
    assert loaded_by(card) == ["rejects"]
    assert "FROM 'data/" not in card


def test_a_set_in_which_everything_failed_has_a_card(make_dataset_folder: Make) -> None:
    recipe = {"corpus": {"engine": "manifest"}}
    card = card_of(make_dataset_folder(kept=[], rejected=[], recipe=recipe))
    assert [one["config_name"] for one in header_of(card)["configs"]] == ["failures"]
    assert "no row names a licence" in card
    assert "There is no clip in it to load." in card
    assert "load_dataset" not in card
    assert "read_parquet" not in card


def test_the_example_loads_a_language_that_has_something(
    dataset_folder: Path, make_dataset_folder: Make, kept_rows: list[dict[str, Any]]
) -> None:
    assert loaded_by(card_of(dataset_folder)) == ["", "en", "rejects"]
    german = [row for row in kept_rows if row["language"] == "de"]
    assert loaded_by(card_of(make_dataset_folder("german", kept=german))) == ["", "de", "rejects"]


def test_rejects_are_named_only_where_there_are_any(
    dataset_folder: Path, make_dataset_folder: Make
) -> None:
    of_rejects = (
        "`rejects/` holds what was thrown away",
        "the ones that were not chosen are in `rejects/`",
        "studying gates (`rejects`)",
        "players for kept and for rejected takes, with the reasons.",
    )
    card = card_of(dataset_folder)
    assert [text for text in of_rejects if text not in card] == []
    card = card_of(make_dataset_folder("all-kept", rejected=[]))
    assert [text for text in of_rejects if text in card] == []
    assert "No take was thrown away, so there is no `rejects/`. `failures.parquet` names" in card
    assert "It has players for kept takes." in card
    assert loaded_by(card) == ["", "en"]
    assert "Hit harder than the set as a whole" not in card


def test_lines_that_were_never_spoken_are_not_called_judged(make_dataset_folder: Make) -> None:
    everything = "Nothing: every sentence that was read was judged in every language"
    gates = {"language": {"score": "text_language_probability", "min": 0.3}}
    recipe = {"text_judges": [{"engine": "language"}], "text_gates": gates}
    folder = make_dataset_folder(failures=[], recipe=recipe)
    reject_lines(folder, 0)
    card = card_of(folder)
    assert f"{everything}.\n" in card
    assert "rejected_lines" not in card
    reject_lines(folder, 2)
    card = card_of(folder)
    but = ", but for the lines above that failed a text gate and were not spoken."
    assert f"{everything}{but}\n" in card
    assert f"{everything}.\n" not in card
    assert "of the lines that failed a text gate, `rejected_lines.parquet` does." in card
    assert "| German | language | 2 |" in card


def loaded_by(card: str) -> list[str]:
    """The configurations that the examples load; "" is the default one."""
    return re.findall(r'load_dataset\("FOLDER_OR_REPOSITORY"(?:, "(\w+)")?', card)


def reject_lines(folder: Path, count: int) -> None:
    """Write the table of lines that the gate `language` kept from being spoken."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    row = dict.fromkeys(("source_id", "text", "source_text", "emotion", "licence"), "x")
    text = {**row, "licence": "Apache-2.0", "language": "de", "reason": "language"}
    schema = pa.schema(dict.fromkeys(text, pa.string()))
    written = pa.Table.from_pylist([text] * count, schema=schema)
    pq.write_table(written, folder / "rejected_lines.parquet")
