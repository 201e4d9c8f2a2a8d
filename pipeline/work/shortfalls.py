"""What a corpus can't give the set that is made of it, in sentences for `plan` and `build`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from pipeline.emotions import Emotion
from pipeline.recipe import Recipe
from pipeline.selection.splits import Split

_NAMED = 3


def shortfalls(
    recipe: Recipe, splits: Mapping[str, Split], recorded: Iterable[tuple[str, Emotion]]
) -> list[str]:
    """Splits that nothing is in, and speakers without neutral speech.

    `splits` by utterance; `recorded`: speaker and emotion of every recording.
    """
    missing = list(_empty_splits(recipe, splits))
    if recipe.prosody.origin == "source":
        missing += _without_neutral(recorded)
    return missing


def _empty_splits(recipe: Recipe, splits: Mapping[str, Split]) -> Iterator[str]:
    due = recipe.splits.model_dump(include={"train", "validation", "test"})
    filled = set(splits.values())
    empty = [name for name, share in due.items() if share and name not in filled]
    if empty and splits:
        by = " or ".join(recipe.splits.by)
        fix = f"more that share no {by}"
        if "text" in recipe.splits.by:
            fix += ", or splits.by: [speaker] where everybody says the same sentences,"
        yield (
            f"splits: nothing is left for {' and '.join(empty)}: of {len(splits)} utterances, what "
            f"shares a {by} stays together; {fix} would fill them"
        )


def _without_neutral(recorded: Iterable[tuple[str, Emotion]]) -> Iterator[str]:
    every, neutral = set(), set()
    for speaker, emotion in recorded:
        every.add(speaker)
        if emotion == "neutral":
            neutral.add(speaker)
    lacking = sorted(every - neutral)
    if not lacking:
        return
    named = ", ".join(lacking[:_NAMED]) + (" ..." if lacking[_NAMED:] else "")
    instead = (
        "measured against other speakers' neutral speech"
        if neutral
        else "measured against the mean of their emotions, which hides what these have in common"
    )
    yield (
        f"corpus: {len(lacking)} of {len(every)} speakers have no neutral recording ({named}): "
        f"what they do is {instead}"
    )
