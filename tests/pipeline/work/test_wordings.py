"""Which lines are spoken: those that pass the text gates, and the others are accounted for."""

from __future__ import annotations

import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from pipeline import tables
from pipeline.dataset.layout import REJECTED_LINES
from pipeline.recipe import Recipe
from pipeline.stages import check, measure, synthesize, translate
from pipeline.store import Store
from pipeline.work.census import take_census
from pipeline.work.chains import chains_of
from pipeline.work.intake import take_in
from pipeline.work.outcomes import decide_all
from pipeline.work.wordings import Verdict, decide_lines, wordings_of
from pipeline.writing.rejected_lines import write_rejected_lines

GATES = {"script": {"score": "text_script_share", "min": 0.5}}


def recipe_of(**fields):
    return Recipe.model_validate(
        {
            "name": "tiny",
            "corpus": {"engine": "quickstart"},
            "languages": ["en", "de"],
            "prosody": {"from": "none"},
            "takes": 2,
            "text_judges": [{"engine": "form"}],
            "text_gates": GATES,
            **fields,
        }
    )


@pytest.fixture
def start(tmp_path):
    """A store in which three utterances are read, translated and checked under a recipe."""

    def run(recipe):
        store = Store(str(tmp_path / "work"))
        intake = take_in(store, recipe, 3)
        sources = {one.key: measure.key(one.key, recipe.corpus.door) for one in intake.batches}
        for batch, output in sources.items():
            measure.run(store, batch, output, recipe.corpus.door)
        wordings = list(wordings_of(store, recipe, intake, sources))
        for one in wordings:
            translate.run(store, one.lines, recipe.translation, one.language, one.texts)
            check.run(store, recipe.text_judges, one.checking)
        return store, intake, sources, wordings

    return run


@pytest.fixture
def corrections(tmp_path, start):
    """A table that has the first sentence said in Chinese instead of German."""
    _, _, _, wordings = start(recipe_of())
    first = wordings[0].texts[0]
    path = tmp_path / "corrections.tsv"
    path.write_text(f"en\tde\n{first.text}\t别管我！\n", encoding="utf-8")
    return str(path)


def test_lines_that_pass_are_all_spoken(start):
    recipe = recipe_of()
    store, _, _, wordings = start(recipe)
    assert decide_lines(store, recipe, wordings) == [Verdict(), Verdict()]


def test_a_line_in_another_script_is_not_spoken_and_everything_is_accounted_for(
    start, corrections, tmp_path
):
    recipe = recipe_of(corrections=corrections)
    store, intake, sources, wordings = start(recipe)
    verdicts = decide_lines(store, recipe, wordings)
    english, german = verdicts
    assert english == Verdict()
    [(rejected, decision)] = german.rejected.items()
    assert (decision.reason, decision.score, decision.threshold) == ("script", 0.0, 0.5)
    assert len(german.spoken) == 2
    census = take_census(store, recipe, intake, sources)
    chains = list(chains_of(store, recipe, census, wordings, verdicts))
    for chain in chains:
        synthesize.run(store, chain.takes, recipe, chain.synthesis)
    spoken = {take.source_id for take in tables.takes(store.read("takes", chains[1].takes))}
    assert spoken == set(german.spoken)
    outcomes = decide_all(store, recipe, intake, chains)
    assert outcomes.unspoken == 1
    assert len(outcomes.decisions) == (3 + 2) * recipe.takes
    write_rejected_lines(tmp_path, store, recipe, chains)
    [row] = pq.read_table(tmp_path / REJECTED_LINES).to_pylist()
    assert (row["source_id"], row["text"], row["language"]) == (rejected, "别管我！", "de")
    assert (row["translator"], row["reason"]) == ("correction", "script")
    assert row["scores"]["text_script_share"] == 0.0


def test_a_gate_that_rejects_nothing_leaves_the_takes_their_names(start):
    with_gate, without = recipe_of(), recipe_of(text_gates={}, text_judges=[])
    keys = []
    for recipe in (with_gate, without):
        store, intake, sources, wordings = start(recipe)
        census = take_census(store, recipe, intake, sources)
        verdicts = decide_lines(store, recipe, wordings)
        keys.append([chain.takes for chain in chains_of(store, recipe, census, wordings, verdicts)])
    assert keys[0] == keys[1]


def test_another_line_under_the_same_name_gives_its_takes_another(start):
    """An engine that leaves something to chance may write another one when it is asked again."""
    recipe = recipe_of(languages=["de"])
    store, intake, sources, wordings = start(recipe)
    census = take_census(store, recipe, intake, sources)

    def names():
        every = chains_of(store, recipe, census, wordings, [Verdict()] * len(wordings))
        return [chain.takes for chain in every]

    before = names()
    [one] = wordings
    rows = store.read("lines", one.lines).to_pylist()
    for change in ({"text": "Anders."}, {"text": None, "error": "no answer"}):
        changed = tables.table([{**rows[0], **change}, *rows[1:]], tables.LINES)
        store.write("lines", one.lines, changed)
        assert names() != before
    store.write("lines", one.lines, tables.table(rows, tables.LINES))
    assert names() == before


def test_without_text_gates_there_is_no_table_of_rejected_lines(tmp_path, start):
    recipe = recipe_of(text_gates={})
    store, _, _, _ = start(recipe)
    write_rejected_lines(tmp_path, store, recipe, [])
    assert not (tmp_path / REJECTED_LINES).exists()


def test_a_text_gate_on_a_score_that_no_judge_of_texts_writes_is_refused():
    with pytest.raises(ValidationError, match=r"text_gates.loud reads the score 'loudness'"):
        recipe_of(text_gates={"loud": {"score": "loudness", "min": 0}})


def test_takes_may_be_gated_by_what_was_measured_on_their_text():
    gates = {"copied": {"score": "text_copied", "max": 0.9}}
    assert recipe_of(text_gates={}, gates=gates).score_names[:2] == (
        "text_length_ratio",
        "text_script_share",
    )
