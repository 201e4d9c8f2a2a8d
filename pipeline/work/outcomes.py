"""From the work store to decisions: every take is kept, rejected with a reason, or failed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from pipeline.emotions import Emotion
from pipeline.languages import Language
from pipeline.recipe import Recipe
from pipeline.records import FailedRow
from pipeline.selection.choose import Candidates, Decision, decide
from pipeline.stages.judge import JudgeJob
from pipeline.stages.synthesis_job import SynthesisJob
from pipeline.store import Store
from pipeline.work.intake import Batch, Intake
from pipeline.work.wordings import Verdict, Wording, line_scores


@dataclass(frozen=True)
class Chain:
    """The work on one batch in one language, and the names of all that is made of it."""

    wording: Wording
    verdict: Verdict
    synthesis: SynthesisJob
    takes: str
    judging: JudgeJob

    @property
    def batch(self) -> Batch:
        """The utterances."""
        return self.wording.batch

    @property
    def language(self) -> Language:
        """The language of all its lines."""
        return self.wording.language

    @property
    def sources(self) -> str:
        """Key of the measured sources."""
        return self.wording.sources

    @property
    def lines(self) -> str:
        """Key of the lines."""
        return self.wording.lines


@dataclass
class Outcomes:
    """What became of everything: `decisions` by take id, the failures, and lines not spoken."""

    decisions: dict[str, Decision] = field(default_factory=dict)
    failures: list[FailedRow] = field(default_factory=list)
    unspoken: int = 0
    """Lines that failed a text gate."""
    due: int = 0
    """Takes that all entries of the corpus would have, in every language."""
    lost: int = 0
    """Takes that the failures cost: one at the door costs every take of its entry."""

    @property
    def kept(self) -> int:
        """Number of takes that are kept."""
        return sum(decision.reason is None for decision in self.decisions.values())

    @property
    def failed_share(self) -> float:
        """The takes that failures cost, as a share of those that were due."""
        return self.lost / max(1, self.due)


def decide_all(store: Store, recipe: Recipe, intake: Intake, chains: Sequence[Chain]) -> Outcomes:
    """Gather all scores and decide every take.

    Raises:
        RuntimeError: a row went missing between two stages, which is a defect.
    """
    outcomes = Outcomes(failures=list(_read_failures(store, intake, chains)))
    columns: dict[str, list[np.ndarray]] = {name: [] for name in recipe.score_names}
    ids: list[str] = []
    lines: list[str] = []
    languages: list[str] = []
    emotions: list[Emotion] = []
    hashes: list[str] = []
    for chain in chains:
        outcomes.failures += _chain_failures(store, chain)
        outcomes.unspoken += len(chain.verdict.rejected)
        judged = _judged(store, recipe, chain, outcomes.failures)
        emotion_of = _emotions(store, chain.batch)
        for row in judged.rows:
            ids.append(row["id"])
            lines.append(f"{row['source_id']}/{chain.language}")
            languages.append(chain.language)
            emotions.append(emotion_of[row["source_id"]])
            hashes.append(row["audio_sha256"])
        for name, parts in columns.items():
            parts.append(judged.columns[name])
    candidates = Candidates(
        ids,
        lines,
        np.array(languages, dtype=object),
        emotions,
        hashes,
        {name: np.concatenate(parts) if parts else np.zeros(0) for name, parts in columns.items()},
    )
    for decision in decide(candidates, recipe.gates, recipe.selection):
        outcomes.decisions[decision.take_id] = decision
    _account(recipe, intake, outcomes)
    return outcomes


@dataclass(frozen=True)
class _Judged:
    rows: list[dict[str, str]]
    columns: dict[str, np.ndarray]


def _judged(store: Store, recipe: Recipe, chain: Chain, failures: list[FailedRow]) -> _Judged:
    """Takes of a chain that every judge could score; the others are added to `failures`."""
    made = [
        row
        for row in store.read(
            "takes", chain.takes, ["id", "source_id", "audio_sha256", "error"]
        ).to_pylist()
        if row["error"] is None
    ]
    errors: dict[int, str] = {}
    columns: dict[str, np.ndarray] = {}
    for judge in recipe.judges:
        scores = store.read("scores", chain.judging.key(judge))
        if scores.column("take_id").to_pylist() != [row["id"] for row in made]:
            raise RuntimeError(f"the scores of '{judge.engine}' are not those of the takes")
        for at, error in enumerate(scores.column("error").to_pylist()):
            if error is not None:
                errors.setdefault(at, f"{judge.engine}: {error}")
        for name in judge.scores:
            columns[name] = np.array(scores.column(name).to_pylist(), dtype=np.float64)
    for at, error in sorted(errors.items()):
        row = made[at]
        failures.append(FailedRow(row["source_id"], row["id"], chain.language, "judge", error))
    texts = line_scores(store, recipe, chain.wording)
    for name in (name for judge in recipe.text_judges for name in judge.scores):
        columns[name] = np.array([texts[row["source_id"]][name] for row in made], dtype=np.float64)
    good = [at for at in range(len(made)) if at not in errors]
    return _Judged(
        [made[at] for at in good], {name: values[good] for name, values in columns.items()}
    )


def _emotions(store: Store, batch: Batch) -> dict[str, Emotion]:
    rows = store.read("utterances", batch.key, ["id", "emotion"]).to_pylist()
    return {row["id"]: row["emotion"] for row in rows}


def _read_failures(store: Store, intake: Intake, chains: Sequence[Chain]) -> Iterator[FailedRow]:
    """What did not come through the door."""
    for entry in intake.unreadable:
        yield FailedRow(entry.id, None, None, "read", entry.error)
    for sources in dict.fromkeys(chain.sources for chain in chains):
        for row in store.read("sources", sources, ["id", "error"]).to_pylist():
            if row["error"] is not None:
                yield FailedRow(row["id"], None, None, "read", row["error"])


def _chain_failures(store: Store, chain: Chain) -> Iterator[FailedRow]:
    """What could not be translated, checked or synthesized."""
    for row in store.read("lines", chain.lines, ["source_id", "error"]).to_pylist():
        if row["error"] is not None:
            yield FailedRow(row["source_id"], None, chain.language, "translate", row["error"])
    for source_id, error in chain.verdict.failed.items():
        yield FailedRow(source_id, None, chain.language, "check", error)
    for row in store.read("takes", chain.takes, ["id", "source_id", "error"]).to_pylist():
        if row["error"] is not None:
            yield FailedRow(row["source_id"], row["id"], chain.language, "synthesize", row["error"])


def _account(recipe: Recipe, intake: Intake, outcomes: Outcomes) -> None:
    """Hold the outcomes against what came in: nothing may go missing in silence.

    Raises:
        RuntimeError: something did.
    """
    languages, takes = len(recipe.languages), recipe.takes
    weights = {
        "read": languages * takes,
        "translate": takes,
        "check": takes,
        "synthesize": 1,
        "judge": 1,
    }
    outcomes.lost = sum(weights[failure.stage] for failure in outcomes.failures)
    outcomes.due = (intake.utterances + len(intake.unreadable)) * languages * takes
    ended = len(outcomes.decisions) + outcomes.unspoken * takes + outcomes.lost
    if ended != outcomes.due:
        raise RuntimeError(f"{outcomes.due} takes were due and {ended} ended: a row went missing")
