from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.image import imread

from pipeline.cards.canvas import new_figure
from pipeline.cards.changes import changes
from pipeline.cards.charts import draw_counts, draw_emotion, draw_scores
from pipeline.cards.emotion_scores import _SCORES, Named
from pipeline.cards.figures import PICTURES, Picture, write_figures
from pipeline.cards.report import write_report
from pipeline.cards.spectrograms import draw_takes
from pipeline.cards.tables import retention
from pipeline.dataset.reading import open_folder
from pipeline.selection.choose import CHOICES
from tests.pipeline.conftest import REASONS

Make = Callable[..., Path]


def test_all_five_are_written_as_pictures(dataset_folder: Path) -> None:
    write_figures(dataset_folder)
    pictures = {path.name: path for path in (dataset_folder / "figures").iterdir()}
    assert set(pictures) == {
        "counts.png", "losses.png", "scores.png", "emotion.png", "takes.png",
    }  # fmt: skip
    for path in pictures.values():
        pixels = imread(io.BytesIO(path.read_bytes()))
        assert pixels.shape[1] > 1000
        assert np.ptp(pixels[..., :3]) > 0.5


def test_the_same_folder_gives_the_same_bytes(dataset_folder: Path) -> None:
    def written() -> dict[str, bytes]:
        write_figures(dataset_folder)
        return {path.name: path.read_bytes() for path in (dataset_folder / "figures").iterdir()}

    first = written()
    assert written() == first
    assert all(b"Software" not in data for data in first.values())


def test_they_leave_the_global_state_alone(dataset_folder: Path) -> None:
    before = dict(mpl.rcParams)
    write_figures(dataset_folder)
    assert dict(mpl.rcParams) == before


def test_counts_are_by_language_and_emotion(dataset_folder: Path) -> None:
    with open_folder(dataset_folder) as dataset:
        figure = draw_counts(dataset)
    assert figure is not None
    left, right = figure.axes
    assert [text.get_text() for text in left.texts] == ["2"] * 14
    # Of three takes two are kept; the third failed a gate, or lost to a better one.
    third = ["100" if REASONS[n % len(REASONS)] in CHOICES else "67" for n in range(14)]
    assert [text.get_text() for text in right.texts] == third
    assert len(set(third)) == 2
    assert [label.get_text() for label in left.get_yticklabels()] == ["English", "German"]


def test_limits_are_drawn_where_the_gates_have_them(dataset_folder: Path) -> None:
    with open_folder(dataset_folder) as dataset:
        figure = draw_scores(dataset)
    assert figure is not None
    panels = {axes.get_title(): axes for axes in figure.axes if axes.get_visible()}
    assert list(panels) == [
        "speech: speech_share",
        "quality: dnsmos_ovrl",
        "emotion: probe_probability",
        "emotion: prosody_distance",
    ]
    assert [line.get_xdata()[0] for line in panels["speech: speech_share"].lines] == [0.5]
    assert len(panels["quality: dnsmos_ovrl"].lines) == 2  # German has a limit of its own


def test_every_judged_take_is_in_its_histogram(dataset_folder: Path) -> None:
    with open_folder(dataset_folder) as dataset:
        figure = draw_scores(dataset)
    assert figure is not None
    heights = [bar.get_height() for bar in figure.axes[0].patches]
    assert sum(heights) == 42


def test_medians_are_shown_by_emotion(dataset_folder: Path) -> None:
    with open_folder(dataset_folder) as dataset:
        figure = draw_emotion(dataset)
    assert figure is not None
    probe = figure.axes[0]
    kept = probe.lines[0].get_xdata()
    np.testing.assert_allclose(kept, [0.3 + (2 * k + 1.5) / 40 for k in range(7)])


def test_takes_are_of_one_language_other_than_english(dataset_folder: Path) -> None:
    with open_folder(dataset_folder) as dataset:
        figure = draw_takes(dataset)
    assert figure is not None
    assert "German" in figure.get_suptitle()
    spectrograms = [axes for axes in figure.axes if axes.images]
    assert len(spectrograms) == 7


def test_the_pitch_that_is_drawn_is_the_clips(dataset_folder: Path) -> None:
    with open_folder(dataset_folder) as dataset:
        figure = draw_takes(dataset)
    assert figure is not None
    pitch = next(axes for axes in figure.axes if axes.lines).lines[0].get_ydata()
    np.testing.assert_allclose(np.nanmedian(np.asarray(pitch, float)), 100, rtol=0.02)


def test_a_folder_without_takes_has_no_figures(make_dataset_folder: Make) -> None:
    folder = make_dataset_folder(kept=[], rejected=[])
    write_figures(folder)
    assert list((folder / "figures").iterdir()) == []


def test_a_recipe_without_gates_has_no_score_figure(make_dataset_folder: Make) -> None:
    folder = make_dataset_folder(recipe={"gates": {}})
    write_figures(folder)
    assert not (folder / "figures" / "scores.png").exists()


def test_a_new_picture_is_drawn_and_shown_in_the_report(
    make_dataset_folder: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in list(PICTURES):
        monkeypatch.delitem(PICTURES, name)
    new = Picture("What is new", lambda dataset: new_figure(2, 2))
    monkeypatch.setitem(PICTURES, "new.png", new)
    folder = make_dataset_folder()
    write_figures(folder)
    write_report(folder)
    assert [path.name for path in (folder / "figures").iterdir()] == ["new.png"]
    assert "What is new" in (folder / "report.html").read_text(encoding="utf-8")


def test_a_score_that_speaks_of_emotion_is_in_the_table_and_in_the_chart(
    dataset_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(_SCORES, "speech_share", Named("speech", "Speech, too", "share"))
    with open_folder(dataset_folder) as dataset:
        table = retention(dataset, "emotion", changes(dataset, "emotion"))
        figure = draw_emotion(dataset)
    assert "speech, kept / judged" in table.header
    assert "Speech, too" in [axes.get_title() for axes in figure.axes]


PART = {"repository": "org/whole", "revision": "abc123", "fingerprint": "ef" * 32}


def test_a_part_shows_nothing_of_gates_that_it_knows_nothing_of(make_dataset_folder: Make) -> None:
    folder = make_dataset_folder("part", rejected=[], failures=[], build={"part": PART})
    write_figures(folder)
    pictures = {path.name for path in (folder / "figures").iterdir()}
    assert pictures == {"counts.png", "emotion.png", "takes.png"}
    with open_folder(folder) as dataset:
        figure = draw_counts(dataset)
    assert figure is not None
    assert [axes.get_title() for axes in figure.axes] == ["Kept takes"]


def test_what_fails_a_limit_is_drawn_beyond_it(
    make_dataset_folder: Make, kept_rows: list[dict[str, Any]]
) -> None:
    scores = {**kept_rows[0]["scores"], "speech_share": 0.1}
    kept_rows[0]["scores"] = scores
    with open_folder(make_dataset_folder(kept=kept_rows)) as dataset:
        figure = draw_scores(dataset)
    assert figure is not None
    [speech] = [axes for axes in figure.axes if axes.get_title() == "speech: speech_share"]
    left = min(bar.get_x() + bar.get_width() for bar in speech.patches if bar.get_height())
    assert left < 0.5


def test_the_chosen_the_spare_and_the_failed_are_told_apart(dataset_folder: Path) -> None:
    with open_folder(dataset_folder) as dataset:
        figure = draw_emotion(dataset)
    assert figure is not None
    told = [text.get_text() for text in figure.legends[0].get_texts()]
    assert told == ["kept", "passed, not chosen", "failed a gate", "asked for"]
    titles = [axes.get_title() for axes in figure.axes if axes.get_visible()]
    assert titles[-4:] == ["F0 level", "F0 range", "level", "rate"]
