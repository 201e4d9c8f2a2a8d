from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import DatasetCardData
from markdown_it import MarkdownIt

from pipeline.cards.figures import PICTURES
from pipeline.cards.own_section import OWN_END, OWN_START, own_section, with_own_section
from pipeline.selection.choose import CHOICES, Choice
from tests.pipeline.cards.reading import Make, card_of, header_of

HOSTILE = (
    "</td><script>alert(1)</script> | x\n## owned\n---\n![p](http://evil.example/p) "
    "`code` **bold** [l](javascript:alert(1)) {{ 7*7 }} \u202egnp.exe\x1b[31m"
)


def cells_of(card: str, start: str) -> list[str]:
    line = next(line for line in card.splitlines() if line.startswith(f"| {start} |"))
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_the_header_is_what_the_hub_reads(dataset_folder: Path) -> None:
    header = header_of(card_of(dataset_folder))
    assert header["language"] == ["en", "de"]
    assert header["license"] == "apache-2.0"
    assert header["size_categories"] == ["n<1K"]
    assert header["task_categories"] == ["audio-classification", "text-to-speech"]
    assert DatasetCardData(**header).to_dict()["license"] == "apache-2.0"


def test_configs_list_only_files_that_are_there(dataset_folder: Path) -> None:
    configs = {one["config_name"]: one for one in header_of(card_of(dataset_folder))["configs"]}
    assert list(configs) == ["all", "en", "de", "rejects", "failures"]
    assert [one["split"] for one in configs["all"]["data_files"]] == ["train", "test"]
    for config in configs.values():
        for part in config["data_files"]:
            assert list(dataset_folder.glob(part["path"])), part


def test_the_tables_count_what_is_there(dataset_folder: Path) -> None:
    card = card_of(dataset_folder)
    assert cells_of(card, "all") == ["all", *["4"] * 7, "28"]
    assert "28 takes, 0.2 min, of 14 English source sentences in English and German" in card
    assert cells_of(card, "Kept takes") == ["Kept takes", "28 of 42 judged"]
    lines = "28 of 28 (100.0 %); in every language 14 of 14 sentences"
    assert cells_of(card, "Lines with a kept take") == ["Lines with a kept take", lines]
    assert cells_of(card, "quality")[1:] == [
        "dnsmos_ovrl (opinion score, 1 to 5) not of its lowest 10 % in its language; "
        "de: at least 2.5",
        "3 (7.1 %)",
        "3 (7.1 %)",
    ]


def test_what_the_gates_hit_is_shown_by_emotion(dataset_folder: Path) -> None:
    card = card_of(dataset_folder)
    assert "speech fails 1 (16.7 %) of the angry takes and 0 (0.0 %) of the" in card
    assert "| angry | 6 | 2 (33.3 %) | 0.3 to 98.8 % |" in card
    assert "The intervals take all takes of one sentence as one draw" in card
    removed = "9 (21.4 %) by gates; 5 that passed, because another take of the line is better, "
    assert f"| Removed | {removed}they are duplicates or there were enough |" in card


def test_a_new_choice_is_told_with_its_rule(
    make_dataset_folder: Make, rejected_rows: list[dict[str, Any]], monkeypatch: Any
) -> None:
    monkeypatch.setitem(CHOICES, "loud", Choice("it is loud", "they are loud", "level", _none))
    for row in rejected_rows[:2]:
        row.update(reason="loud", failed_gates=["loud"])
    card = card_of(make_dataset_folder(rejected=rejected_rows))
    spare = "another take of the line is better, they are duplicates, there were enough or they are"
    assert f"7 that passed, because {spare} loud |" in card
    assert cells_of(card, "loud") == ["loud", "it is loud", "2 (4.8 %)", "2 (4.8 %)"]


def _none(*_: Any) -> Iterator[tuple[int, float, float]]:
    yield from ()


def test_retention_names_the_probe_and_its_worth(
    dataset_folder: Path, make_dataset_folder: Make
) -> None:
    card = card_of(dataset_folder)
    assert "192 human source recordings of 24 speakers" in card
    assert "recall of **0.55** (chance 0.14)" in card
    assert "| neutral | 0.54 / 0.53 | – / – | +4.0 → +3.0 | +50 → +25 |" in html.unescape(card)
    without = card_of(make_dataset_folder("text-only", build={"probe": None}))
    assert "there are no human recordings in this recipe" in without


def test_what_was_asked_of_the_voice_stands_beside_what_it_does(
    make_dataset_folder: Make, kept_rows: list[dict[str, Any]]
) -> None:
    for row in kept_rows:
        if row["emotion"] == "angry":
            row["scores"] = {**row["scores"], "f0_level_st": 23.0 + row["seed"]}
        if row["emotion"] == "sad":
            row["prosody_target"] = None
    card = html.unescape(card_of(make_dataset_folder(kept=kept_rows)))
    assert "prosody distance, kept / judged | F0 level, st | F0 range, % | level, dB | rate" in card
    lines = card.splitlines()
    [angry] = [line for line in lines if line.startswith("| angry | 0.34 / 0.33 | 0.57 / 0.55")]
    assert angry.endswith("| +4.0 → +4.5 | +50 → +25 | +6.0 → +5.0 | -10 → -5 |")
    [sad] = [line for line in lines if line.startswith("| sad | 0.59 / 0.57")]
    assert sad.endswith("| – | – | – | – |")


def test_without_the_prosody_judge_nothing_is_said_of_changes(make_dataset_folder: Make) -> None:
    judges = [{"engine": "speech"}, {"engine": "quality"}, {"engine": "probe"}]
    card = card_of(make_dataset_folder(recipe={"judges": judges}))
    assert "not in its row, as the recipe lacks the judge `prosody`" in card


def test_what_the_door_refused_is_not_called_translated(make_dataset_folder: Make) -> None:
    assert "They were translated by `memory`" in card_of(make_dataset_folder("all"))
    errors = [
        {"source_id": name, "stage": "read", "error": f"'{name}.wav' is silent"} for name in "abc"
    ]
    card = card_of(make_dataset_folder(failures=errors))
    assert "1 could not be read. Of them 2 could not be used, for their text" in card
    assert "the others were translated by `memory`" in card


def test_dropped_labels_and_failures_are_stated(dataset_folder: Path) -> None:
    card = card_of(dataset_folder)
    assert "none of ours: calm (3); 1 could not be read" in card
    assert "| synthesize | espeak-ng crashed (wait status 11) | 1 |" in card


def test_versions_come_from_the_build(dataset_folder: Path) -> None:
    assert "espeakng-loader 0.2.4, 1.52" in card_of(dataset_folder)


@pytest.mark.parametrize("place", ["error", "label", "voice"])
def test_hostile_text_shows_and_does_nothing(make_dataset_folder: Make, place: str) -> None:
    parts: dict[str, Any] = {}
    if place == "error":
        parts["failures"] = [{"source_id": "s", "stage": "read", "error": HOSTILE}]
    elif place == "label":
        parts["build"] = {"read": {"utterances": 1, "dropped": {HOSTILE: 1}, "failed": 0}}
    folder = make_dataset_folder("tame")
    tame = MarkdownIt("gfm-like", {"linkify": False}).render(_body(card_of(folder)))
    hostile_folder = make_dataset_folder("hostile", **parts)
    if place == "voice":
        _rename_voice(hostile_folder)
    card = card_of(hostile_folder)
    page = MarkdownIt("gfm-like", {"linkify": False}).render(_body(card))
    assert "owned" in page
    assert "\u202e" not in card
    assert "\x1b" not in card
    for tag in ("<h2", "<h1", "<hr", "<img", "<script", "<a ", "<code", "<table"):
        assert page.count(tag) == tame.count(tag), tag
    assert header_of(card)["license"] == "apache-2.0"


def test_the_same_folder_gives_the_same_bytes(dataset_folder: Path) -> None:
    assert card_of(dataset_folder) == card_of(dataset_folder)


def test_what_a_person_wrote_outlives_the_next_card(dataset_folder: Path) -> None:
    card = card_of(dataset_folder)
    assert "Nothing is written here yet" in (own_section(card) or "")
    own = "\n\nWrite to **us**: | table |\n\n## A heading\n\n"
    (dataset_folder / "README.md").write_text(with_own_section(card, own), encoding="utf-8")
    again = card_of(dataset_folder)
    assert own_section(again) == own
    assert again == with_own_section(card, own)
    assert card.count(OWN_START) == card.count(OWN_END) == 1


@pytest.mark.parametrize("card", ["", "# Mine", OWN_START, f"{OWN_END} {OWN_START}"])
def test_a_card_without_the_two_marks_has_no_own_section(card: str) -> None:
    assert own_section(card) is None
    assert with_own_section(card, "text") == card


def test_the_name_of_the_folder_is_not_on_the_card(make_dataset_folder: Make) -> None:
    here, there = make_dataset_folder("here"), make_dataset_folder("it's [over] there*")
    assert card_of(here) == card_of(there)


def test_figures_are_shown_where_they_are(dataset_folder: Path) -> None:
    assert "](figures/" not in card_of(dataset_folder)
    (dataset_folder / "figures").mkdir()
    for name in PICTURES:
        (dataset_folder / "figures" / name).touch()
    assert set(re.findall(r"\]\(figures/(\S+?)\)", card_of(dataset_folder))) == set(PICTURES)


def _body(card: str) -> str:
    return card.split("---\n", 2)[2]


def _rename_voice(folder: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    for shard in folder.glob("data/*/*.parquet"):
        table = pq.read_table(shard)
        place = table.schema.get_field_index("voice")
        voices = pa.array([HOSTILE] * len(table))
        pq.write_table(table.set_column(place, "voice", voices), shard)


def test_a_watermark_is_told_of(make_dataset_folder: Make) -> None:
    assert "inaudible watermark" not in card_of(make_dataset_folder("without"))
    card = card_of(
        make_dataset_folder("with", recipe={"watermark": {"engine": "audioseal", "message": 7}})
    )
    assert "inaudible watermark (`audioseal`, message 7)" in card
    assert "Proactive detection of voice cloning" in card


def test_tones_are_spoken_of_where_a_language_has_them(make_dataset_folder: Make) -> None:
    said = "F0 also tells words apart (tones)"
    assert said not in card_of(make_dataset_folder("atonal"))
    card = card_of(make_dataset_folder("tonal", recipe={"languages": ["en", "vi", "th"]}))
    assert f"- In Vietnamese and Thai {said}" in card


def test_of_a_list_of_one_s_own_the_card_claims_no_consent(
    dataset_folder: Path, make_dataset_folder: Make
) -> None:
    bundled = card_of(dataset_folder)
    own = card_of(make_dataset_folder("own", recipe={"corpus": {"engine": "manifest"}}))
    assert "m5ser can't know: whoever built this set answers for it" not in bundled
    assert "m5ser can't know: whoever built this set answers for it" in own
    for card in (bundled, own):
        assert "For this set nobody was recorded" not in card
        assert "m5ser recorded nobody for it" in card
