"""The report of an evaluation shows what somebody's set calls things, and does nothing else."""

import io

import numpy as np
import pytest
from matplotlib.text import Text

from model.evaluation.inference import Embedded
from model.evaluation.report import draw_confusions, draw_embeddings, evaluation_markdown
from tests.model.evaluation.test_evaluate import Clips, evaluated

FORGED = "de | 99.9 | **x** <script> [x](javascript:y)"


def embedded(languages="de", speakers="Jane Doe"):
    count = 6
    random = np.random.default_rng(0)
    words = [np.array([word] * count) for word in ("sad", languages, speakers, "source")]
    return Embedded({"align": random.normal(size=(count, 4))}, *words, np.arange(count) % 2 == 0)


def test_a_report_begins_with_what_was_tested():
    text = evaluation_markdown(evaluated(Clips(["anna"] * 8)))
    assert text.startswith("On the recordings of list.csv:\n\n| language |")


def test_no_name_of_a_set_is_markup_in_the_report():
    found = evaluated(Clips(["anna"] * 8, [FORGED] * 8, {f"label '{FORGED}'": 1}))
    lines = [line for line in evaluation_markdown(found).splitlines() if "script" in line]
    assert len(lines) == 2
    assert not [line for line in lines for mark in ("<", "**", "](") if mark in line]
    [row] = [line for line in lines if line.startswith("|")]
    assert row.count("|") == 8


@pytest.mark.parametrize("name", ["$\\x$", "$\\frac{$"])
def test_no_name_is_read_as_a_formula_in_a_figure(name):
    for figure in (
        draw_confusions(evaluated(Clips(["anna"] * 8, [name] * 8))),
        draw_embeddings(embedded(name, name)),
    ):
        figure.savefig(drawn := io.BytesIO(), dpi=20)
        assert drawn.getvalue().startswith(b"\x89PNG")
        texts = [one for one in figure.findobj(Text) if name in one.get_text()]
        assert texts
        assert not any(one.get_parse_math() for one in texts)


def test_no_legend_names_people():
    figure = draw_embeddings(embedded())
    legends = [axes.get_legend() for axes in figure.axes]
    assert [text.get_text() for one in legends if one for text in one.get_texts()] == ["sad", "de"]
