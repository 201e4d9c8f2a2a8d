"""Lines that failed a text gate: they were never spoken, and stand in a table of their own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline import tables
from pipeline.dataset.layout import REJECTED_LINES
from pipeline.provenance.components import may_pass_on_text
from pipeline.recipe import Recipe
from pipeline.store import Store
from pipeline.work.outcomes import Chain
from pipeline.work.wordings import line_scores
from pipeline.writing.rows import rejection, told_number

_TEXT, _FLOAT = pa.string(), pa.float64()
_FIELDS: dict[str, pa.DataType] = {
    "source_id": _TEXT,
    "text": _TEXT,
    "source_text": _TEXT,
    "language": _TEXT,
    "emotion": _TEXT,
    "corpus": _TEXT,
    "translator": _TEXT,
    "licence": _TEXT,
    "reason": _TEXT,
    "score_name": _TEXT,
    "score": _FLOAT,
    "threshold": _FLOAT,
    "failed_gates": pa.list_(_TEXT),
}


def write_rejected_lines(
    folder: Path, store: Store, recipe: Recipe, chains: Iterable[Chain]
) -> None:
    """Write the table, if the recipe has text gates: each line once, with the reason."""
    if recipe.text_gates:
        names = [name for judge in recipe.text_judges for name in judge.scores]
        rows = [row for chain in chains for row in _rows(store, recipe, chain)]
        written = tables.table(rows, _schema(names))
        pq.write_table(written, folder / REJECTED_LINES, compression="zstd")


def _rows(store: Store, recipe: Recipe, chain: Chain) -> Iterator[dict[str, Any]]:
    if not chain.verdict.rejected:
        return
    utterances = {u.id: u for u in tables.utterances(store.read("utterances", chain.batch.key))}
    scores = line_scores(store, recipe, chain.wording)
    for line in tables.lines(store.read("lines", chain.lines)):
        decision = chain.verdict.rejected.get(line.source_id)
        if decision is None:
            continue
        utterance = utterances[line.source_id]
        shown = may_pass_on_text(utterance.corpus, utterance.licence)
        yield {
            "source_id": line.source_id,
            "text": line.text if shown else None,
            "source_text": utterance.text if shown else None,
            "language": line.language,
            "emotion": utterance.emotion,
            "corpus": utterance.corpus,
            "translator": line.translator,
            "licence": utterance.licence,
            **rejection(decision),
            "scores": {name: told_number(value) for name, value in scores[line.source_id].items()},
        }


def _schema(score_names: Iterable[str]) -> pa.Schema:
    scores = pa.struct(dict.fromkeys(score_names, _FLOAT))
    return pa.schema({**_FIELDS, "scores": scores})
