from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable, Collection
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from pipeline.cards import report
from pipeline.cards.figures import write_figures
from pipeline.cards.report import write_report
from pipeline.dataset.reading import DatasetFolder

HOSTILE = '</p><script>alert(1)</script><img src=x onerror="alert(2)"> {{ 7*7 }} \u202e'
LIMIT_BYTES = 12 * 1024 * 1024

Make = Callable[..., Path]


class Page(HTMLParser):
    """The tags of a page with their attributes, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def page_of(folder: Path) -> Page:
    write_report(folder)
    return Page((folder / "report.html").read_text(encoding="utf-8"))


def test_every_reason_has_its_section(dataset_folder: Path) -> None:
    text = page_of(dataset_folder).text
    for reason in ("speech", "quality", "emotion", "duplicate", "best_take", "balance"):
        assert re.search(rf"\n *{reason}\n", text), reason
    assert re.search(r"Removed\s+3\s+of\s+42\s+judged takes\s+\(7\.1 %\)", text)
    assert "at least 1 of 2: probe_probability at least 0.2" in text


def test_clips_are_inside_the_page_and_play(dataset_folder: Path) -> None:
    players = page_of(dataset_folder).all("audio")
    assert len(players) == 3 * 10 + 2 * 10 + 14  # kept by gate and by choice, and the rejected
    for player in players:
        assert player["preload"] == "none"
        kind, data = str(player["src"]).split(",", 1)
        assert kind == "data:audio/flac;base64"
        samples, rate = soundfile.read(io.BytesIO(base64.b64decode(data)))
        assert (rate, len(samples)) == (16_000, 8_000)


def test_nothing_is_asked_of_the_network(dataset_folder: Path) -> None:
    write_figures(dataset_folder)
    page = page_of(dataset_folder)
    policy = next(meta for meta in page.all("meta") if meta.get("http-equiv"))["content"]
    assert policy is not None
    assert policy.startswith("default-src 'none'")
    for _, attributes in page.tags:
        for name in ("src", "href"):
            value = attributes.get(name)
            assert value is None or value.startswith(("data:", "#"))
    assert page.all("script") == []
    assert len(page.all("img")) == 5


def test_takes_show_their_reason_and_the_limit(dataset_folder: Path) -> None:
    text = " ".join(page_of(dataset_folder).text.split())
    assert "got 0.25, limit 0.5" in text
    assert "got –, limit 0.5" in text  # NaN: nothing was measured
    assert "failed: best_take" in text


def test_the_languages_take_turns_and_stand_together(make_dataset_folder: Make) -> None:
    page = page_of(make_dataset_folder())
    languages = [p["lang"] for p in page.all("p") if p.get("class") == "text"]
    first_kept = languages[3:13]  # after three rejected takes
    assert first_kept == ["en"] * 5 + ["de"] * 5


@pytest.mark.parametrize("place", ["text", "error"])
def test_hostile_text_is_shown_and_does_nothing(
    make_dataset_folder: Make, kept_rows: list[dict[str, Any]], place: str
) -> None:
    parts: dict[str, Any] = {}
    if place == "text":
        parts["kept"] = [
            {**row, "text": HOSTILE, "voice": HOSTILE, "transcript": HOSTILE} for row in kept_rows
        ]
    else:
        parts["failures"] = [{"source_id": HOSTILE, "stage": "read", "error": HOSTILE}]
    page = page_of(make_dataset_folder(**parts))
    assert page.all("script") == []
    assert page.all("img") == []
    assert "<script>alert(1)</script>" in page.text
    assert "{{ 7*7 }}" in page.text
    assert "\u202e" not in page.text


def test_failures_are_counted_by_error(make_dataset_folder: Make) -> None:
    rows = [{"source_id": f"s{n}", "stage": "judge", "error": "too quiet"} for n in range(7)]
    page = page_of(make_dataset_folder(failures=rows))
    assert re.search(r"judge\s*7\s*too quiet\s*s0", page.text)


def test_no_failures_are_said_to_be_none(make_dataset_folder: Make) -> None:
    assert "every row that was read was judged" in page_of(make_dataset_folder(failures=[])).text


def test_the_same_folder_gives_the_same_bytes(dataset_folder: Path) -> None:
    page_of(dataset_folder)
    first = (dataset_folder / "report.html").read_bytes()
    page_of(dataset_folder)
    assert (dataset_folder / "report.html").read_bytes() == first


def test_long_clips_do_not_make_the_page_too_large(
    make_dataset_folder: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_dataset_folder()
    whole = len(page_of(folder).all("audio"))
    monkeypatch.setattr(report, "_AUDIO_BYTES", 60_000)
    page = page_of(folder)
    clips = [str(player["src"]).split(",", 1)[1] for player in page.all("audio")]
    assert 0 < len(clips) < whole
    assert sum(len(base64.b64decode(clip)) for clip in clips) <= 60_000


def test_noisy_clips_of_thirty_seconds_keep_it_under_twelve_megabytes(
    make_dataset_folder: Make, rejected_rows: list[dict[str, Any]]
) -> None:
    file = io.BytesIO()
    noise = np.random.default_rng(0).normal(0, 0.2, 30 * 16_000)
    soundfile.write(file, noise, 16_000, format="FLAC")
    rows = [{**row, "audio": {"bytes": file.getvalue()}} for row in rejected_rows]
    folder = make_dataset_folder(rejected=rows)
    write_report(folder)
    assert (folder / "report.html").stat().st_size < LIMIT_BYTES


def test_an_empty_set_has_a_report(make_dataset_folder: Make) -> None:
    page = page_of(make_dataset_folder(kept=[], rejected=[]))
    assert page.all("audio") == []
    assert "takes kept" in page.text


def test_a_part_says_nothing_of_gates_and_has_takes_to_listen_to(
    make_dataset_folder: Make,
) -> None:
    part = {"repository": "org/whole", "revision": "abc123", "fingerprint": "ef" * 32}
    page = page_of(make_dataset_folder("part", rejected=[], failures=[], build={"part": part}))
    for word in ("passed the gates", "judged takes", "Failures", "Removed"):
        assert word not in page.text
    assert "what the gates removed is in the report of the whole" in page.text
    assert len(page.all("audio")) == 10


def test_clips_are_read_once(dataset_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[set[str]] = []
    read = DatasetFolder.audio

    def counted(self: DatasetFolder, take_ids: Collection[str]) -> dict[str, bytes]:
        asked.append(set(take_ids))
        return read(self, take_ids)

    monkeypatch.setattr(DatasetFolder, "audio", counted)
    write_report(dataset_folder)
    assert len(asked) == 1
