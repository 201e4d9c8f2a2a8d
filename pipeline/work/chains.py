"""Every batch in every language, and the names of all that is made of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline import tables
from pipeline.engine import digest
from pipeline.recipe import Recipe
from pipeline.stages.judge import JudgeJob
from pipeline.stages.synthesis_job import SynthesisJob
from pipeline.store import Store
from pipeline.work.census import Census
from pipeline.work.outcomes import Chain
from pipeline.work.wordings import Verdict, Wording


def chains_of(
    store: Store,
    recipe: Recipe,
    census: Census,
    wordings: Sequence[Wording],
    verdicts: Sequence[Verdict],
    clips: str | None = None,
) -> Iterator[Chain]:
    """The chains of a build, in the order of its rows, once all lines are there.

    `verdicts`: which lines of each wording are spoken. `clips`: key of the clips of all voices, for
    the judges that want them.
    """
    for wording, verdict in zip(wordings, verdicts, strict=True):
        speakers, ids = wording.speakers, [one.id for one in wording.texts]
        synthesis = SynthesisJob(
            language=wording.language,
            utterances=wording.batch.key,
            sources=wording.sources,
            lines=wording.lines,
            contents=_contents(store, wording, verdict),
            voices={speaker: census.voices[speaker] for speaker in speakers},
            neutrals={s: census.neutrals[s] for s in speakers if s in census.neutrals},
            references={id: census.references[id] for id in ids if id in census.references},
            spoken=verdict.spoken,
        )
        takes = synthesis.key(recipe)
        judging = JudgeJob(
            utterances=wording.batch.key,
            sources=wording.sources,
            lines=wording.lines,
            takes=takes,
            languages=recipe.languages,
            voices=clips,
            human=census.human,
        )
        yield Chain(wording, verdict, synthesis, takes, judging)


def _contents(store: Store, wording: Wording, verdict: Verdict) -> tuple[str, ...]:
    """What the takes of each spoken line are made of: its text, and what is used of its source."""
    of_source = dict(zip((one.id for one in wording.texts), wording.contents, strict=True))
    return tuple(
        digest(of_source[line.source_id], line.text)
        for line in tables.lines(store.read("lines", wording.lines))
        if verdict.spoken is None or line.source_id in verdict.spoken
    )
