"""Error rates of the kept takes by language."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.cards.transcripts import transcripts
from pipeline.dataset.reading import open_folder
from tests.tiny_set import tiny_rows, write_set

Rows = list[tuple[str, dict[str, Any]]]


def test_error_rates_are_means_by_language_and_bad_clips_are_counted(tmp_path: Path) -> None:
    def change(rows: Rows) -> Rows:
        for _, row in rows:
            cer = 0.4 if row["emotion"] == "angry" else 0.1
            row["scores"] = {**row["scores"], "cer": cer, "wer": 2 * cer}
        return rows

    judges = [{"engine": "duration"}, {"engine": "whisper", "model": "small-espeak"}]
    folder = write_set(tmp_path / "set", change, languages=["en"], judges=judges)
    with open_folder(folder) as dataset:
        table = transcripts(dataset)
    english = [row for _, row in tiny_rows() if row["language"] == "en"]
    angry = sum(row["emotion"] == "angry" for row in english)
    cer = (0.4 * angry + 0.1 * (len(english) - angry)) / len(english)
    assert table is not None
    assert table.rows == [["English", f"{cer:.2f}", f"{2 * cer:.2f}", f"{angry}"]]
    assert 0 < angry < len(english)


def test_without_a_transcript_judge_there_is_no_table(dataset_folder: Path) -> None:
    with open_folder(dataset_folder) as dataset:
        assert transcripts(dataset) is None
