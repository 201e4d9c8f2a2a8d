"""Lines of a batch become scores, before any speech is paid for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from pipeline import tables
from pipeline.engine import digest
from pipeline.languages import Language
from pipeline.loading import loaded
from pipeline.records import Line, Tally, Utterance
from pipeline.store import Store
from pipeline.text_judges.base import TextItem, TextJudge

STAGE = "line_scores"
_VERSION = 1


@dataclass(frozen=True)
class CheckJob:
    """A batch's lines in one language: where its inputs lie; `languages` are the recipe's."""

    utterances: str
    lines: str
    languages: tuple[Language, ...]

    def key(self, judge: TextJudge) -> str:
        """Name of one judge's scores."""
        return digest(STAGE, _VERSION, self.load_key(judge), self.lines)

    def load_key(self, judge: TextJudge) -> str:
        """Name under which a loaded judge is held."""
        languages = list(self.languages) if judge.needs_languages else None
        return digest(judge.fingerprint(), languages)


def run(store: Store, judges: Sequence[TextJudge], job: CheckJob) -> Tally:
    """Let every judge score the batch's lines whose scores aren't there yet."""
    lines = tables.lines(store.read("lines", job.lines))
    utterances = {u.id: u for u in tables.utterances(store.read("utterances", job.utterances))}
    items = [_item(line, utterances[line.source_id]) for line in lines]
    failed: set[str] = set()
    for judge in judges:
        if not store.has(STAGE, job.key(judge)):
            judge_batch = loaded(job.load_key(judge), partial(judge.load, job.languages))
            answers = judge_batch(items) if items else []
            rows = tables.answered("source_id", [line.source_id for line in lines], answers)
            schema = tables.line_scores_schema(judge.scores)
            store.write(STAGE, job.key(judge), tables.table(rows, schema))
            failed |= {row["source_id"] for row in rows if row.get("error")}
    return Tally(len(items), len(failed))


def _item(line: Line, utterance: Utterance) -> TextItem:
    return TextItem(
        source_text=utterance.text,
        text=line.text,
        language=line.language,
        emotion=utterance.emotion,
        hit_length_cap=line.hit_length_cap,
    )
