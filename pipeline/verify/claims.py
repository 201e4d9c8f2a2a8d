"""What a set claims of itself, against its rows: unique ids, splits, licence, and the card."""

from __future__ import annotations

import json
from glob import escape
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, get_args

from jinja2 import TemplateError
from pydantic import BaseModel, Field, NonNegativeInt, ValidationError

from pipeline.cards.card import card_of
from pipeline.cards.own_section import own_section, with_own_section
from pipeline.dataset.layout import BUILD, CARD, DATA, MANIFEST, RECIPE, REJECTED_LINES, REJECTS
from pipeline.dataset.licence import licence_of
from pipeline.dataset.manifest import Manifest
from pipeline.dataset.reading import SPLITS, DatasetFolder, open_folder, parquet_files
from pipeline.emotions import EMOTIONS
from pipeline.errors import InputError
from pipeline.provenance.licences import hub_licence
from pipeline.recipe import Recipe, published
from pipeline.records import Gender
from pipeline.selection.splits import equal_texts, near_duplicates
from pipeline.settings_file import BadRecipe, parse_yaml
from pipeline.verify.decisions import check_decisions
from pipeline.verify.derived import check_credentials, check_row_index, check_text
from pipeline.verify.findings import Findings

_SHOWN = 80


def check_claims(folder: Path, recipe: Recipe, manifest: Manifest, findings: Findings) -> None:
    """All that is known without the audio; of a folder whose shards have the right columns."""
    build = _build(folder, findings)
    if build is None:
        return
    _check_head(manifest, build, recipe, findings)
    has_licence = False
    with findings.reading("rows", "data"), open_folder(folder, published(recipe)) as dataset:
        if not check_rows(dataset, findings):
            return
        _check_splits(dataset, findings)
        check_decisions(dataset, recipe, findings)
        if has_licence := _check_licence(dataset, findings):
            check_credentials(dataset, findings)
    check_row_index(folder, findings)
    if has_licence:
        with findings.reading("card", CARD), open_folder(folder, published(recipe)) as dataset:
            _check_card(dataset, findings)


def _build(folder: Path, findings: Findings) -> dict[str, Any] | None:
    """The facts of `build.json`; what keeps them from being read is reported."""
    with findings.reading("build", BUILD):
        try:
            return read_build((folder / BUILD).read_text(encoding="utf-8"))
        except InputError as bad:
            findings.report("build", BUILD, str(bad))
    return None


def _check_head(
    manifest: Manifest, build: dict[str, Any], recipe: Recipe, findings: Findings
) -> None:
    """The manifest begins with the facts of the build, and these are of this recipe."""
    stated = manifest.model_dump(exclude={"files"})
    for name in sorted({*stated, *build}):
        if stated.get(name) != build.get(name):
            findings.report("build", f"{MANIFEST}, {name}", "it is not what build.json says")
    of_recipe = {"recipe": recipe.name, "clip_fingerprint": recipe.clip_fingerprint()}
    for name, right in of_recipe.items():
        if build.get(name) != right:
            findings.report("build", f"build.json, {name}", f"by recipe.yaml it is '{right}'")


class _Read(BaseModel):
    utterances: NonNegativeInt
    dropped: dict[str, NonNegativeInt]
    failed: NonNegativeInt


class _Probe(BaseModel):
    uar: Annotated[float, Field(ge=0, le=1)]
    classes: Annotated[list[str], Field(min_length=1)]
    clips: NonNegativeInt
    speakers: NonNegativeInt


class _Part(BaseModel):
    repository: str
    revision: str


class _Build(BaseModel):
    """What the card prints of `build.json`, whoever wrote it."""

    m5ser: str
    fingerprint: str
    clip_fingerprint: str
    limit: NonNegativeInt | None = None
    read: _Read
    probe: _Probe | None = None
    components: dict[str, str]
    part: _Part | None = None


def read_build(text: str) -> dict[str, Any]:
    """The facts of a `build.json` from anywhere.

    Raises:
        InputError: with the first field that is not what m5ser writes.
    """
    try:
        _Build.model_validate_json(text)
    except ValidationError as wrong:
        first = wrong.errors()[0]
        field = ".".join(map(str, first["loc"])) or "the file"
        raise InputError(f"build.json: {field}: {first['msg']}") from wrong
    facts: dict[str, Any] = json.loads(text)
    return facts


def check_rows(dataset: DatasetFolder, findings: Findings) -> bool:
    """Every row has its ids and labels, in known words and as its file says; ids are unique.

    False where one is missing or unknown: nothing more can be asked of the rows then.
    """
    if not _check_values(dataset, findings):
        return False
    _check_labels(dataset, findings)
    _check_ids(dataset, findings)
    return True


_NAMING: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("take_id", "source_id", "speaker_id", "voice", "licence"), ()),
    "emotion": EMOTIONS,
    "split": SPLITS,
    "gender": get_args(Gender),
}
"""Columns that every row must fill, and the words that each may hold (none listed: any)."""


def _check_values(dataset: DatasetFolder, findings: Findings) -> bool:
    """Whether every row fills the columns of `_NAMING`, in the words of their vocabularies."""
    sound = True
    for column, words in {**_NAMING, "language": dataset.languages}.items():
        wrong = f"{column} IS NULL" + (f" OR NOT list_contains($1, {column})" if words else "")
        rows = dataset.rows(
            f"SELECT {column} AS value, count(*) AS times FROM takes WHERE {wrong} "  # noqa: S608
            "GROUP BY value ORDER BY value LIMIT 3",
            [list(words)] if words else [],
        )
        for row in rows:
            sound = False
            said = "nothing" if row["value"] is None else f"'{row['value'][:_SHOWN]}'"
            findings.report("rows", column, f"it is {said} in {row['times']} rows")
    lines = dataset.value("SELECT count(*) FROM rejected_lines WHERE licence IS NULL")
    if lines:
        findings.report("rows", f"{REJECTED_LINES}, licence", f"it is nothing in {lines} rows")
    return sound and not lines


_ELSEWHERE = {
    "language": "not that of its folder",
    "split": "not that of its file",
    "emotion_id": "not its emotion's",
}


def _check_labels(dataset: DatasetFolder, findings: Findings) -> None:
    """Each row's language and split are those of its file, its `emotion_id` that of its emotion."""
    wrong = {
        "language": "language <> $language",
        "split": "split IS DISTINCT FROM $split AND $split <> 'rejects'",
        "emotion_id": "emotion_id IS DISTINCT FROM list_position($emotions, emotion) - 1",
    }
    shards = parquet_files(dataset.path, DATA) + parquet_files(dataset.path, REJECTS)
    for shard in shards:
        known = {
            "language": shard.parent.name,
            "split": shard.name.partition("-")[0],
            "emotions": list(EMOTIONS),
        }
        for column, sql in wrong.items():
            given = {name: value for name, value in known.items() if f"${name}" in sql}
            [(times,)] = dataset.connection.execute(
                f"SELECT count(*) FROM read_parquet([$shard]) WHERE {sql}",  # noqa: S608
                {"shard": escape(str(shard)), **given},
            ).fetchall()
            if times:
                name = shard.relative_to(dataset.path).as_posix()
                said = _ELSEWHERE[column]
                findings.report("rows", f"{name}, {column}", f"it is {said} in {times} rows")


def _check_ids(dataset: DatasetFolder, findings: Findings) -> None:
    rows = dataset.rows(
        "SELECT take_id, count(*) AS times FROM takes GROUP BY take_id HAVING times > 1 "
        "ORDER BY take_id"
    )
    for row in rows:
        findings.report("ids", str(row["take_id"]), f"{row['times']} rows have this id")
    takes = dataset.value("SELECT count(*) FROM takes")
    findings.checks["ids"] = f"{takes} rows"


def _check_splits(dataset: DatasetFolder, findings: Findings) -> None:
    """No source sentence is in two splits; nor what the recipe's `splits.by` keeps apart."""
    by = dataset.recipe["splits"]["by"]
    columns = ["source_id", *(["speaker_id", "voice"] if "speaker" in by else [])]
    for column in columns:
        rows = dataset.rows(
            f"SELECT {column} AS value, string_agg(DISTINCT split, ', ' ORDER BY split) AS splits "  # noqa: S608
            f"FROM takes GROUP BY ALL HAVING count(DISTINCT split) > 1 ORDER BY value"
        )
        for row in rows:
            findings.report("splits", f"{column} {row['value']}", f"it is in {row['splits']}")
    if "text" in by:
        _check_texts(dataset, findings)
    findings.checks["splits"] = f"no {', '.join([*columns, *({'text'} & set(by))])} in two of them"


def _check_texts(dataset: DatasetFolder, findings: Findings) -> None:
    """No text is in two splits, nearly the same either: the English one, nor what is said."""
    _check_alike(dataset.rows(_TEXTS.format("source_text", "true")), findings)
    for language in dataset.languages:
        _check_alike(dataset.rows(_TEXTS.format("text", "language = $1"), [language]), findings)


_TEXTS = "SELECT DISTINCT {0} AS text, split FROM takes WHERE {0} IS NOT NULL AND {1} ORDER BY ALL"


def _check_alike(rows: list[dict[str, Any]], findings: Findings) -> None:
    texts = [row["text"] for row in rows]
    for left, right in chain(equal_texts(texts), near_duplicates(texts)):
        first, second = rows[left], rows[right]
        if first["split"] != second["split"]:
            findings.report(
                "splits",
                f"text '{first['text'][:_SHOWN]}'",
                f"it is in {first['split']}, and in {second['split']} as "
                f"'{second['text'][:_SHOWN]}'",
            )


def _check_licence(dataset: DatasetFolder, findings: Findings) -> bool:
    """The licence on the card is not laxer than the one that follows from rows and components.

    Where none follows, nothing that names it can be made anew.
    """
    try:
        computed = licence_of(dataset)
    except (InputError, KeyError) as wrong:
        findings.report("licence", RECIPE, str(wrong.args[0]))
        return False
    spdx = dataset.recipe["licence"] or computed.spdx
    header, allowed = _header(dataset.path), hub_licence(spdx)
    claimed = {name: header.get(name) for name in allowed}
    if claimed != allowed:
        name = next(name for name in allowed if claimed[name] != allowed[name])
        found, right = claimed[name], allowed[name]
        said = f"'{found[:_SHOWN]}'" if isinstance(found, str) else "no licence by its name"
        findings.report("licence", CARD, f"it claims {said}, and '{right}' is right")
    findings.checks["licence"] = spdx
    return True


def _header(folder: Path) -> dict[str, Any]:
    card = (folder / CARD).read_text(encoding="utf-8")
    header = card[4:].partition("\n---\n")[0] if card.startswith("---\n") else ""
    try:
        fields = parse_yaml(header)
    except BadRecipe:
        fields = None
    return fields if isinstance(fields, dict) else {}


def _check_card(dataset: DatasetFolder, findings: Findings) -> None:
    """The card is what the data gives; what people wrote in their section is theirs."""
    found = (dataset.path / CARD).read_text(encoding="utf-8")
    try:
        rendered = card_of(dataset)
    except (InputError, LookupError, TypeError, ValueError, TemplateError) as wrong:
        findings.report("card", BUILD, f"no card can be made of it: {wrong!r}")
        return
    wanted = with_own_section(rendered, own_section(found))
    check_text("card", CARD, (found, wanted), "the data gives", findings)
    findings.checks["card"] = "written anew from the data and compared"
