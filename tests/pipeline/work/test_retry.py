"""What failed is due again, with what was made of it; what did not stays where it is."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from pipeline import tables
from pipeline.recipe import Recipe
from pipeline.store import Store
from pipeline.work.retry import forget_failed_lines, forget_failed_sources, forget_failed_takes

RECIPE = Recipe.model_validate(
    {
        "name": "tiny",
        "corpus": {"engine": "quickstart"},
        "languages": ["de"],
        "judges": [{"engine": "duration"}, {"engine": "clipping"}],
        "text_judges": [{"engine": "form"}],
    }
)


@pytest.fixture
def store(tmp_path):
    return Store(str(tmp_path / "work"))


def put(store, stage, key, *errors):
    schemas = {
        "sources": tables.SOURCES,
        "lines": tables.LINES,
        "takes": tables.TAKES,
        "scores": tables.scores_schema(()),
        "line_scores": tables.line_scores_schema(()),
    }
    rows = [{"error": error} for error in errors]
    store.write(stage, key, tables.table(rows, schemas[stage]))


def keyed(prefix):
    """A job whose scores go under a judge's name."""
    return SimpleNamespace(key=lambda judge: f"{prefix}-{judge.engine}")


def test_sources_with_an_error_are_measured_again(store):
    put(store, "sources", "good", None, None)
    put(store, "sources", "bad", None, "silent")
    forget_failed_sources(store, ["good", "bad", "not yet there"])
    assert store.has("sources", "good")
    assert not store.has("sources", "bad")


@pytest.mark.parametrize(
    ("of_lines", "of_judge", "left"),
    [
        (None, None, (True, True)),
        ("no translation", None, (False, False)),
        (None, "out of memory", (True, False)),
    ],
)
def test_lines_go_with_their_scores_and_scores_alone(store, of_lines, of_judge, left):
    put(store, "lines", "l", None, of_lines)
    put(store, "line_scores", "c-form", None, of_judge)
    wording = SimpleNamespace(lines="l", checking=keyed("c"))
    forget_failed_lines(store, RECIPE, [wording])
    assert (store.has("lines", "l"), store.has("line_scores", "c-form")) == left


@pytest.mark.parametrize(
    ("of_takes", "of_clipping", "left"),
    [
        (None, None, (True, True, True)),
        ("out of memory", None, (False, False, False)),
        (None, "out of memory", (True, True, False)),
    ],
)
def test_takes_go_with_all_scores_and_a_judge_s_alone(store, of_takes, of_clipping, left):
    put(store, "takes", "t", None, of_takes)
    put(store, "scores", "j-duration", None)
    put(store, "scores", "j-clipping", of_clipping)
    chain = SimpleNamespace(takes="t", judging=keyed("j"))
    forget_failed_takes(store, RECIPE, [chain])
    places = [("takes", "t"), ("scores", "j-duration"), ("scores", "j-clipping")]
    assert tuple(store.has(*place) for place in places) == left


def test_what_was_made_of_takes_is_gone_before_they_are(store, monkeypatch):
    """A kill between the two leaves takes whose scores are due, and never scores of other takes."""
    put(store, "takes", "t", "out of memory")
    put(store, "scores", "j-duration", None)
    removed = []
    monkeypatch.setattr(Store, "remove", lambda self, stage, key: removed.append(stage))
    forget_failed_takes(store, RECIPE, [SimpleNamespace(takes="t", judging=keyed("j"))])
    assert removed == ["scores", "takes"]
