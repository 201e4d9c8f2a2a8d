"""README.md of a dataset folder: the data card that the Hugging Face Hub shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import yaml

from pipeline import card_tables
from pipeline.folder import SPLITS, DatasetFolder, open_folder, parquet_files
from pipeline.languages import language_name
from pipeline.licences import terms_of
from pipeline.provenance import Component, Licence, check_claim, components_of, resulting_licence
from pipeline.recipe import AnyJudge
from pipeline.rules import gates_of
from pipeline.templates import ours, render_markdown, spoken

_CHECKS = {
    "duration": "length and speaking rate, against the source recording where there is one",
    "clipping": "clipped samples, level, and silence at the ends",
    "speech": "whether there is speech at all (silero-vad)",
    "quality": "sound quality as DNSMOS estimates it, a model of human listeners that was made for "
    "noisy telephone speech",
    "speaker": "whether a voice is itself in every language and unlike the others (resemblyzer)",
    "language": "the language of the text (lingua), which is read and not listened to",
    "prosody": "how far the prosody is from what was asked for",
    "probe": "whether a classifier fitted on the human source recordings hears the wanted emotion",
    "whisper": "whether the clip says its text, all of it, in its language (Whisper)",
}
_FIGURES = ("counts.png", "scores.png", "emotion.png", "takes.png")
_SIZES = ((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"))
_LARGEST = "1M<n<10M"
_UNEQUAL = 0.05
"""Difference of shares from which a gate is said to hit one emotion harder than another."""


def write_card(folder: Path) -> None:
    """Write `README.md` of a dataset folder; the same folder gives the same bytes.

    Raises:
        LicenceError: the recipe claims a laxer licence than its components and rows allow.
        KeyError: an engine of the recipe has no entry in the ledger.
    """
    with open_folder(folder) as dataset:
        components = components_of(dataset.recipe)
        rows = dataset.rows("SELECT DISTINCT licence FROM takes ORDER BY licence")
        licence = resulting_licence(components, [row["licence"] for row in rows])
        check_claim(dataset.recipe["licence"], licence)
        card = render_markdown("dataset_card.md.jinja", **_values(dataset, components, licence))
    (folder / "README.md").write_text(card, encoding="utf-8")


def _values(
    dataset: DatasetFolder, components: tuple[Component, ...], licence: Licence
) -> dict[str, Any]:
    """Everything that the template prints."""
    [kept] = dataset.rows(
        "SELECT count(*) AS takes, coalesce(sum(duration_s), 0) AS seconds, "
        "count(DISTINCT voice) AS voices, count(DISTINCT speaker_id) AS speakers, "
        "count(DISTINCT source_id) AS sources FROM kept"
    )
    spdx = dataset.recipe["licence"] or licence.spdx
    return {
        "header": ours(_header(dataset, spdx, kept["takes"])),
        "recipe": dataset.recipe,
        "build": dataset.build,
        "kept": {**kept, "length": spoken(kept["seconds"])},
        "judged": dataset.value("SELECT count(*) FROM takes"),
        "failed": dataset.value("SELECT count(*) FROM failures"),
        "languages": [language_name(code) for code in dataset.languages],  # type: ignore[arg-type]
        "emotions": dataset.emotions,
        "tables": _tables(dataset),
        "hits": card_tables.hardest_hit(dataset, _UNEQUAL),
        "unequal": f"{100 * _UNEQUAL:.0f}",
        "neutral": dataset.rows(
            "SELECT neutral_from AS origin, count(*) AS takes FROM kept "
            "WHERE neutral_from IS NOT NULL GROUP BY ALL ORDER BY takes DESC, origin"
        ),
        "checks": _checks(dataset.recipe),
        "unchecked": _unchecked(dataset.recipe),
        "components": _versioned(components, dataset.build.get("components", {})),
        "licence": licence,
        "spdx": spdx,
        "figures": [name for name in _FIGURES if (dataset.path / "figures" / name).is_file()],
        "example": _example(dataset.path),
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


def _tables(dataset: DatasetFolder) -> dict[str, card_tables.Table | None]:
    return {
        "by_emotion": card_tables.by_emotion(dataset),
        "by_split": card_tables.by_split(dataset),
        "voices": card_tables.voices(dataset),
        "removed": card_tables.removed(dataset),
        "failed_by_emotion": card_tables.failed_by(dataset, "emotion"),
        "failed_by_language": card_tables.failed_by(dataset, "language"),
        "retention": card_tables.retention(dataset),
        "failures": card_tables.failures(dataset),
    }


def _header(dataset: DatasetFolder, spdx: str, takes: int) -> str:
    """The metadata that the Hub reads
    (https://github.com/huggingface/hub-docs/blob/main/datasetcard.md)."""
    size = next((name for limit, name in _SIZES if takes < limit), _LARGEST)
    fields = {
        "language": list(dataset.languages),
        **_hub_licence(spdx),
        "pretty_name": f"{dataset.recipe['name']} (synthetic emotional speech, m5ser)",
        "task_categories": ["audio-classification", "text-to-speech"],
        "tags": ["speech-emotion-recognition", "emotion", "synthetic", "multilingual", "m5ser"],
        "size_categories": [size],
        "configs": _configs(dataset),
    }
    return str(yaml.safe_dump(fields, sort_keys=False, allow_unicode=True, width=100))


def _hub_licence(spdx: str) -> dict[str, str]:
    terms = terms_of(spdx)
    if terms is not None:
        return {"license": terms.hub_id}
    return {"license": "other", "license_name": spdx.removeprefix("LicenseRef-").casefold()}


def _configs(dataset: DatasetFolder) -> list[dict[str, Any]]:
    """The parts that can be loaded by name; only files that are there."""
    shards = [shard.relative_to(dataset.path) for shard in parquet_files(dataset.path, "data")]
    present = {(shard.parent.name, shard.name.split("-")[0]) for shard in shards}
    languages = [code for code in dataset.languages if any(code == lang for lang, _ in present)]
    configs = [
        _config("default", {split: f"data/*/{split}-*.parquet" for _, split in present}),
        *(
            _config(
                code,
                {
                    split: f"data/{code}/{split}-*.parquet"
                    for lang, split in present
                    if lang == code
                },
            )
            for code in languages
        ),
    ]
    configs[0]["default"] = True
    if parquet_files(dataset.path, "rejects"):
        configs.append(_config("rejects", {"rejects": "rejects/*/*.parquet"}))
    if dataset.value("SELECT count(*) FROM failures"):
        configs.append(_config("failures", {"failures": "failures.parquet"}))
    return [config for config in configs if config["data_files"]]


def _config(name: str, paths: dict[str, str]) -> dict[str, Any]:
    order = {split: place for place, split in enumerate(SPLITS)}
    ordered = sorted(paths.items(), key=lambda item: order.get(item[0], len(order)))
    files = [{"split": split, "path": path} for split, path in ordered]
    return {"config_name": name, "data_files": files}


def _checks(recipe: dict[str, Any]) -> list[tuple[str, str, list[str]]]:
    """Judges that measured the takes: name, what it looks at, and the gates that read it."""
    scores = {judge.model_fields["engine"].default: judge.scores for judge in _judges()}
    return [
        (
            judge["engine"],
            _CHECKS[judge["engine"]],
            [
                name
                for name, gate in gates_of(recipe).items()
                if set(gate.score_names) & set(scores[judge["engine"]])
            ],
        )
        for judge in recipe["judges"]
    ]


def _unchecked(recipe: dict[str, Any]) -> list[tuple[str, str]]:
    ran = {judge["engine"] for judge in recipe["judges"]}
    return [(name, what) for name, what in _CHECKS.items() if name not in ran]


def _judges() -> tuple[Any, ...]:
    """The judges' classes, out of the annotated union of the recipe."""
    union, *_ = get_args(AnyJudge)
    return get_args(union)


def _example(folder: Path) -> str:
    """A shard to show in the code examples."""
    shards = parquet_files(folder, "data") or parquet_files(folder, "rejects")
    return shards[0].relative_to(folder).as_posix() if shards else "failures.parquet"
