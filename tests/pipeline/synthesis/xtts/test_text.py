"""What XTTS is given to read."""

from __future__ import annotations

import pytest

from pipeline.synthesis.xtts.text import pieces


@pytest.mark.parametrize(
    ("text", "limit", "wanted"),
    [
        ("Ja.", 10, ["Ja."]),
        ("Ja. Nein! Gut so?", 10, ["Ja. Nein!", "Gut so?"]),
        ("Ja, das ist gut. Nein.", 12, ["Ja, das ist", "gut. Nein."]),
        ("one two three four", 9, ["one two", "three", "four"]),
        ("真不敢相信。你大老远跑来，", 10, ["真不敢相信。", "你大老远跑来，"]),
        ("a" * 11, 10, None),
        ("", 10, []),
    ],
)  # fmt: skip
def test_long_texts_are_cut_where_a_reader_would_pause(
    text: str, limit: int, wanted: list[str] | None
) -> None:
    made = pieces(text, limit)
    assert made == wanted
    if made:
        assert "".join(made).replace(" ", "") == text.replace(" ", "")
        assert all(len(piece) <= limit for piece in made)
