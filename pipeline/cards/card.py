"""README.md of a dataset folder: the data card that the Hugging Face Hub shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from pipeline.cards import tables
from pipeline.cards.changes import Changes, changes
from pipeline.cards.confounds import confounds
from pipeline.cards.header import config_names, header
from pipeline.cards.losses import Loss, clusters_of, hit_beyond_chance, losses
from pipeline.cards.origin import origin
from pipeline.cards.rules import gates_of, why_spare
from pipeline.cards.templates import ours, render_markdown, spoken
from pipeline.cards.timing import timing_agreement
from pipeline.cards.transcripts import transcripts
from pipeline.cards.yields import hardest_hit_voices, yields
from pipeline.dataset.layout import CARD, DATA, FIGURES, PICTURES, REJECTS
from pipeline.dataset.licence import licence_of
from pipeline.dataset.reading import DatasetFolder, open_folder, parquet_files
from pipeline.judges.any import AnyJudge
from pipeline.judges.base import Judge, Measured
from pipeline.languages import LANGUAGES, TONAL, language_name
from pipeline.prosody.profile import SCALARS
from pipeline.provenance.components import Component, components_of
from pipeline.provenance.licences import texts_of
from pipeline.provenance.terms import Licence
from pipeline.selection.gates import Gate
from pipeline.text_judges.any import AnyTextJudge

_ABSENT: Mapping[Measured, str] = {
    "transcript": "**No transcript check**: nothing verified that a clip says its text, all of it, "
    "in its language.",
    "emotion": "**No emotion classifier** heard the takes.",
    "speech": "No voice activity detector looked for speech.",
    "quality": "Sound quality was not estimated.",
    "speaker": "No speaker verification: voices may be less distinct than named.",
}
"""What a card must say where no judge measured it, the weightiest first."""
_UNFITTED = (
    "**The probe was not fitted**: too few of the recordings came in, as in a dry run. Its scores "
    "are missing, and a missing score passes no gate."
)
Check = tuple[str, str, list[str]]
"""A judge: its name, what it looks at, and the gates that read it."""

OWN_START, OWN_END = "<!-- own section: kept -->", "<!-- end of own section -->"
"""Marks around what a person writes into a card; it outlives every new rendering."""

_UNEQUAL = 0.05
"""Difference of shares from which a gate is said to hit one emotion harder than another."""


def write_card(folder: Path) -> None:
    """Write `README.md` of a dataset folder; see `render_card`."""
    (folder / CARD).write_text(render_card(folder), encoding="utf-8")


def render_card(folder: Path) -> str:
    """The card of a dataset folder: the same folder gives the same text.

    What a person has written into its own section of the folder's card is kept.

    Raises:
        LicenceError: the recipe claims a laxer licence than its components and rows allow.
        InputError: an engine of the recipe has no entry in the ledger.
    """
    with open_folder(folder) as dataset:
        return card_of(dataset)


def card_of(dataset: DatasetFolder) -> str:
    """The card of an open dataset folder; see `render_card`.

    Raises:
        LicenceError, InputError: as `render_card`.
    """
    values = _values(dataset, components_of(dataset.recipe), licence_of(dataset))
    card = render_markdown("dataset_card.md.jinja", **values)
    written = dataset.path / CARD
    old = own_section(written.read_text(encoding="utf-8")) if written.is_file() else None
    return with_own_section(card, old)


def own_section(card: str) -> str | None:
    """What stands between the two marks of a card, or None if it has no such section."""
    _, start, rest = card.partition(OWN_START)
    text, end, _ = rest.partition(OWN_END)
    return text if start and end else None


def with_own_section(card: str, own: str | None) -> str:
    """The card with this text in its own section; None leaves it as it is."""
    before, start, rest = card.partition(OWN_START)
    _, end, after = rest.partition(OWN_END)
    if own is None or not (start and end):
        return card
    return f"{before}{start}{own}{end}{after}"


def _values(
    dataset: DatasetFolder, components: tuple[Component, ...], licence: Licence
) -> dict[str, Any]:
    """Everything that the template prints."""
    kept = _kept(dataset)
    spdx = dataset.recipe["licence"] or licence.spdx
    configs = config_names(dataset)
    losses_by = {column: losses(dataset, column) for column in ("emotion", "language", "gender")}
    changes_by = {column: changes(dataset, column) for column in ("emotion", "language")}
    unread = dataset.value("SELECT count(*) FROM failures WHERE stage = 'read'")
    neutral = dataset.rows(
        "SELECT neutral_from AS origin, count(*) AS takes FROM kept "
        "WHERE neutral_from IS NOT NULL GROUP BY ALL ORDER BY takes DESC, origin"
    )
    return {
        "header": ours(header(dataset, spdx, kept["takes"])),
        "recipe": dataset.recipe,
        "build": dataset.build,
        "kept": {**kept, "length": spoken(kept["seconds"])},
        "failed": dataset.value("SELECT count(*) FROM failures"),
        "emotions": dataset.emotions,
        "tables": _tables(dataset, losses_by, changes_by),
        "changed": bool(changes_by["emotion"]),
        **_removed(dataset, kept, losses_by),
        **yields(dataset),
        **confounds(dataset),
        "utility": _utility(dataset.recipe),
        **_languages(dataset),
        **_voices(dataset, kept["voices"]),
        "neutral": neutral,
        "recorded": any(row["origin"] != "published" for row in neutral),
        "refused": unread - dataset.build["read"]["failed"],
        "glossary": _glossary(dataset),
        "prosody_numbers": SCALARS,
        "checks": _checks(dataset),
        "text_checks": _text_checks(dataset.recipe),
        "unchecked": _unchecked(dataset),
        "components": _versioned(components, dataset.build.get("components", {})),
        "corpora": [one for one in components if one.kind == "corpus"],
        "consents": [one for one in components if one.consent],
        "withheld": dataset.value("SELECT count(*) FROM takes WHERE text IS NULL"),
        **origin(dataset.recipe, dataset.build),
        "configs": configs,
        "loadable": [code for code in dataset.languages if code in configs],
        "licence": licence,
        "spdx": spdx,
        "licence_texts": texts_of(spdx),
        "figures": [name for name in PICTURES if (dataset.path / FIGURES / name).is_file()],
        "example": _example(dataset.path),
        "own_start": OWN_START,
        "own_end": OWN_END,
    }


def _removed(
    dataset: DatasetFolder, kept: dict[str, Any], losses_by: Mapping[str, Sequence[Loss]]
) -> dict[str, Any]:
    """Takes that were judged and not kept: how many, why, and whom the gates took them from."""
    judged = dataset.value("SELECT count(*) FROM takes")
    lost = sum(sum(loss.lost) for loss in losses_by["emotion"])
    every = [loss for groups in losses_by.values() for loss in groups]
    hit_hard = hit_beyond_chance(every, lost / judged if judged else 0.0)
    cluster = clusters_of(dataset)
    return {
        "judged": judged,
        "lost": tables.share_of(lost, judged),
        "spare": f"{judged - kept['takes'] - lost:,}",
        "why_spare": why_spare(),
        "hits": tables.hardest_hit(dataset, _UNEQUAL),
        "unequal": f"{100 * _UNEQUAL:.0f}",
        "hit_hard": [language_name(one) if one in LANGUAGES else one for one in hit_hard],
        "hit_voices": hardest_hit_voices(dataset),
        "cluster": cluster,
        "clusters": kept["speakers" if cluster == "speaker" else "sources"],
    }


def _utility(recipe: dict[str, Any]) -> str:
    """The formula by which takes are compared, or "" where nothing is weighed."""
    weights = recipe["selection"]["utility"]
    return " ".join(f"{weight:+g} · `{name}`" for name, weight in weights.items())


def _kept(dataset: DatasetFolder) -> dict[str, Any]:
    """Of the kept takes: their number and seconds, and the voices, speakers and sources in them."""
    [kept] = dataset.rows(
        "SELECT count(*) AS takes, coalesce(sum(duration_s), 0) AS seconds, "
        "count(DISTINCT voice) AS voices, count(DISTINCT speaker_id) AS speakers, "
        "count(DISTINCT source_id) AS sources FROM kept"
    )
    return kept


def _languages(dataset: DatasetFolder) -> dict[str, list[str]]:
    """Names of the languages, and of those in which F0 tells words apart."""
    return {
        "languages": [language_name(code) for code in dataset.languages],
        "tonal": [language_name(code) for code in dataset.languages if code in TONAL],
    }


def _voices(dataset: DatasetFolder, kept: int) -> dict[str, int]:
    """How many voices are listed, were judged, and kept nothing, where `kept` kept a take."""
    judged = int(dataset.value("SELECT count(DISTINCT voice) FROM takes"))
    return {
        "voices_shown": tables.VOICES,
        "judged_voices": judged,
        "lost_voices": judged - kept,
    }


def _versioned(
    components: tuple[Component, ...], installed: dict[str, str]
) -> list[tuple[Component, str]]:
    """Each component with its revision and the version of the package that the build recorded."""
    versions = []
    for one in components:
        package = f"{one.package} {installed.get(one.name, '')}".strip() if one.package else ""
        versions.append((one, ", ".join(part for part in (package, one.revision) if part) or "–"))
    return versions


def _tables(
    dataset: DatasetFolder,
    losses_by: Mapping[str, Sequence[Loss]],
    changes_by: Mapping[str, Changes],
) -> dict[str, tables.Table | None]:
    return {
        "by_emotion": tables.by_emotion(dataset),
        "by_split": tables.by_split(dataset),
        "voices": tables.voices(dataset),
        "removed": tables.removed(dataset),
        "failed_by_emotion": tables.failed_by(dataset, "emotion"),
        "failed_by_language": tables.failed_by(dataset, "language"),
        **{f"lost_by_{one}": tables.lost_by(one, lost) for one, lost in losses_by.items()},
        **{
            f"retention_by_{one}": tables.retention(dataset, one, changed)
            for one, changed in changes_by.items()
        },
        "timing": timing_agreement(dataset),
        "transcripts": transcripts(dataset),
        "rejected_lines": tables.rejected_lines(dataset),
        "failures": tables.failures(dataset),
    }


def _checks(dataset: DatasetFolder) -> list[Check]:
    """The judges that measured the takes, and which gates read them."""
    gates = gates_of(dataset.recipe)
    return [
        (one.title, one.checks, _readers(gates, one.scores))
        for one in _judges(dataset.recipe)
        if not (one.engine == "probe" and _unfitted(dataset))
    ]


def _judges(recipe: dict[str, Any]) -> tuple[Judge, ...]:
    judges: TypeAdapter[tuple[Judge, ...]] = TypeAdapter(tuple[AnyJudge, ...])
    return judges.validate_python(recipe["judges"])


def _unfitted(dataset: DatasetFolder) -> bool:
    """Whether the recipe has a probe that there were too few recordings for."""
    named = any(judge["engine"] == "probe" for judge in dataset.recipe["judges"])
    return named and dataset.build.get("probe") is None


def _text_checks(recipe: dict[str, Any]) -> list[Check]:
    """The judges that read the lines, and which gates read them."""
    given = recipe.get("text_judges", [])
    judges = TypeAdapter(tuple[AnyTextJudge, ...]).validate_python(given)
    gates = gates_of(recipe, "text_gates")
    return [(one.title, one.checks, _readers(gates, one.scores)) for one in judges]


def _glossary(dataset: DatasetFolder) -> dict[str, str]:
    """What each score of the takes is, in words."""
    return {
        name: about for judge in _judges(dataset.recipe) for name, about in judge.scores.items()
    }


def _readers(gates: dict[str, Gate], scores: Iterable[str]) -> list[str]:
    return [name for name, gate in gates.items() if set(gate.score_names) & set(scores)]


def _unchecked(dataset: DatasetFolder) -> list[str]:
    """What a reader might take for checked: sentences, the weightiest first."""
    measured = {one for judge in _judges(dataset.recipe) for one in judge.measures}
    absent = [sentence for one, sentence in _ABSENT.items() if one not in measured]
    return [_UNFITTED, *absent] if _unfitted(dataset) else absent


def _example(folder: Path) -> str | None:
    """A shard to show in the code examples, if there is any."""
    shards = parquet_files(folder, DATA) or parquet_files(folder, REJECTS)
    return shards[0].relative_to(folder).as_posix() if shards else None
