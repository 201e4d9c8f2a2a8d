"""README.md of a dataset folder: the data card that the Hugging Face Hub shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.cards import tables
from pipeline.cards.changes import Changes, changes
from pipeline.cards.checks import Checks, checks
from pipeline.cards.confounds import Confounds, confounds
from pipeline.cards.header import header
from pipeline.cards.kept import Kept, Voices, kept, voices
from pipeline.cards.licensing import Licensing, licensing
from pipeline.cards.loading import Loading, loading
from pipeline.cards.losses import Loss, losses
from pipeline.cards.origin import Origin, origin
from pipeline.cards.own_section import OWN_END, OWN_START, own_section, with_own_section
from pipeline.cards.removed import Removed, removed
from pipeline.cards.templates import ours, render_markdown
from pipeline.cards.timing import timing_agreement
from pipeline.cards.transcripts import transcripts
from pipeline.cards.yields import Yields, yields
from pipeline.dataset.layout import CARD, FIGURES, PICTURES
from pipeline.dataset.reading import DatasetFolder, open_folder
from pipeline.languages import TONAL, language_name
from pipeline.prosody.profile import SCALARS


@dataclass(frozen=True)
class Prosody:
    """How the prosody of the takes came about."""

    neutral_from: list[dict[str, Any]]
    """Whose neutral speech it is relative to (`origin`), and in how many `takes`."""
    recorded: bool
    """Whether any of that was a recording."""
    changed: bool
    """Whether it was measured what the emotions change."""
    numbers: Mapping[str, str]
    """Its numbers in words."""


@dataclass(frozen=True)
class Card:
    """All that the templates of a card print, by name."""

    header: str
    recipe: Mapping[str, Any]
    build: Mapping[str, Any]
    origin: Origin
    languages: list[str]
    tonal: list[str]
    """Languages in which F0 tells words apart."""
    emotions: Sequence[str]
    kept: Kept
    voices: Voices
    yields: Yields
    utility: str
    """The formula by which takes are compared, "" where nothing is weighed."""
    prosody: Prosody
    checks: Checks
    removed: Removed
    confounds: Confounds
    tables: Mapping[str, tables.Table | None]
    figures: list[str]
    failed: int
    refused: int
    """Utterances that were read, and then not used for their text or their recording."""
    unspoken: int
    """Lines that failed a text gate."""
    withheld: int
    """Takes of sentences that may not be passed on."""
    licensing: Licensing
    loading: Loading
    own_start: str = OWN_START
    own_end: str = OWN_END


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
    card = render_markdown("dataset_card/card.md.jinja", **vars(_card(dataset)))
    written = dataset.path / CARD
    old = own_section(written.read_text(encoding="utf-8")) if written.is_file() else None
    return with_own_section(card, old)


def _card(dataset: DatasetFolder) -> Card:
    found, terms = kept(dataset), licensing(dataset)
    losses_by = {column: losses(dataset, column) for column in ("emotion", "language", "gender")}
    changes_by = {column: changes(dataset, column) for column in ("emotion", "language")}
    unread = dataset.value("SELECT count(*) FROM failures WHERE stage = 'read'")
    return Card(
        header=ours(header(dataset, terms.spdx, found.takes)),
        recipe=dataset.recipe,
        build=dataset.build,
        origin=origin(dataset.recipe, dataset.build),
        languages=[language_name(code) for code in dataset.languages],
        tonal=[language_name(code) for code in dataset.languages if code in TONAL],
        emotions=dataset.emotions,
        kept=found,
        voices=voices(dataset, found.voices),
        yields=yields(dataset),
        utility=_utility(dataset.recipe),
        prosody=_prosody(dataset, changes_by["emotion"]),
        checks=checks(dataset),
        removed=removed(dataset, found, losses_by),
        confounds=confounds(dataset),
        tables=_tables(dataset, losses_by, changes_by),
        figures=[name for name in PICTURES if (dataset.path / FIGURES / name).is_file()],
        failed=dataset.value("SELECT count(*) FROM failures"),
        refused=unread - dataset.build["read"]["failed"],
        unspoken=dataset.value("SELECT count(*) FROM rejected_lines"),
        withheld=dataset.value("SELECT count(*) FROM takes WHERE text IS NULL"),
        licensing=terms,
        loading=loading(dataset),
    )


def _utility(recipe: Mapping[str, Any]) -> str:
    weights = recipe["selection"]["utility"]
    return " ".join(f"{weight:+g} · `{name}`" for name, weight in weights.items())


def _prosody(dataset: DatasetFolder, changed: Changes) -> Prosody:
    neutral_from = dataset.rows(
        "SELECT neutral_from AS origin, count(*) AS takes FROM kept "
        "WHERE neutral_from IS NOT NULL GROUP BY ALL ORDER BY takes DESC, origin"
    )
    recorded = any(row["origin"] != "published" for row in neutral_from)
    return Prosody(neutral_from, recorded, bool(changed), SCALARS)


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
