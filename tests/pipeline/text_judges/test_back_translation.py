"""What scores of a translation back depend on."""

from __future__ import annotations

from pathlib import Path

from pipeline.text_judges.back_translation import BackTranslation
from pipeline.translation.memory import Memory


def test_another_translation_back_is_another_score(tmp_path: Path) -> None:
    table = tmp_path / "memory.tsv"
    table.write_text("en\tde\nNo.\tNein.\n", encoding="utf-8")
    judge = BackTranslation(translator=Memory(path=str(table)))
    before = judge.fingerprint()
    assert BackTranslation(translator=Memory(path=str(table))).fingerprint() == before
    table.write_text("en\tde\nNo!\tNein.\n", encoding="utf-8")
    assert judge.fingerprint() != before
