"""The metadata at the head of a data card, which the Hub and `datasets` read.

Fields: https://github.com/huggingface/hub-docs/blob/main/datasetcard.md. `dataset_info` is written
as `datasets` writes it (`Features._to_yaml_list`), so that the viewer need not guess.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import yaml

from pipeline.dataset.layout import DATA, FAILURES, REJECTS
from pipeline.dataset.reading import SPLITS, DatasetFolder, parquet_files
from pipeline.provenance.licences import hub_licence

_SIZES = ((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"))
_LARGEST = "1M<n<10M"
_TAGS = ["speech-emotion-recognition", "emotion", "synthetic", "multilingual", "audio", "m5ser"]


def header(dataset: DatasetFolder, spdx: str, takes: int) -> str:
    """The YAML of a set with this licence and so many kept takes."""
    configs = _configs(dataset)
    fields = {
        "language": list(dataset.languages),
        **hub_licence(spdx),
        "pretty_name": f"{dataset.recipe['name']} (synthetic emotional speech, m5ser)",
        "task_categories": ["audio-classification", "text-to-speech"],
        "annotations_creators": ["machine-generated"],
        "language_creators": ["machine-generated"],
        "multilinguality": ["multilingual" if len(dataset.languages) > 1 else "monolingual"],
        "tags": _TAGS,
        "size_categories": [next((name for limit, name in _SIZES if takes < limit), _LARGEST)],
        "configs": configs,
        "dataset_info": [_info(dataset, config) for config in configs],
    }
    return str(yaml.safe_dump(fields, sort_keys=False, allow_unicode=True, width=100))


def config_names(dataset: DatasetFolder) -> list[str]:
    """The names by which parts of the set can be loaded."""
    return [config["config_name"] for config in _configs(dataset)]


def _configs(dataset: DatasetFolder) -> list[dict[str, Any]]:
    """The parts that can be loaded by name; only files that are there."""
    shards = [shard.relative_to(dataset.path) for shard in parquet_files(dataset.path, DATA)]
    present = {(shard.parent.name, shard.name.split("-")[0]) for shard in shards}
    languages = [code for code in dataset.languages if any(code == lang for lang, _ in present)]
    configs = [_config("all", {split: f"data/*/{split}-*.parquet" for _, split in present})]
    for code in languages:
        splits = {split for lang, split in present if lang == code}
        configs.append(_config(code, {one: f"data/{code}/{one}-*.parquet" for one in splits}))
    configs[0]["default"] = True
    if parquet_files(dataset.path, REJECTS):
        configs.append(_config("rejects", {"rejects": f"{REJECTS}/*/*.parquet"}))
    if dataset.value("SELECT count(*) FROM failures"):
        configs.append(_config("failures", {"failures": FAILURES}))
    return [config for config in configs if config["data_files"]]


def _config(name: str, paths: dict[str, str]) -> dict[str, Any]:
    order = {split: place for place, split in enumerate(SPLITS)}
    ordered = sorted(paths.items(), key=lambda item: order.get(item[0], len(order)))
    files = [{"split": split, "path": path} for split, path in ordered]
    return {"config_name": name, "data_files": files}


def _info(dataset: DatasetFolder, config: dict[str, Any]) -> dict[str, Any]:
    """Features and sizes of a configuration; bytes are of its shards, packed and unpacked.

    A language's features are those of `all`, which every shard says itself: with them a head of
    many languages would have thousands of lines.
    """
    files = {
        part["split"]: sorted(dataset.path.glob(part["path"])) for part in config["data_files"]
    }
    splits = [_split(name, shards) for name, shards in files.items()]
    first = next(shard for shards in files.values() for shard in shards)
    return {
        "config_name": config["config_name"],
        **({} if config["config_name"] in dataset.languages else {"features": _features(first)}),
        "splits": splits,
        "download_size": sum(shard.stat().st_size for part in files.values() for shard in part),
        "dataset_size": sum(split["num_bytes"] for split in splits),
    }


def _split(name: str, shards: Sequence[Path]) -> dict[str, Any]:
    heads = [pq.read_metadata(shard) for shard in shards]
    unpacked = sum(
        head.row_group(at).total_byte_size for head in heads for at in range(head.num_row_groups)
    )
    return {"name": name, "num_bytes": unpacked, "num_examples": sum(h.num_rows for h in heads)}


def _features(shard: Path) -> list[dict[str, Any]]:
    """The features that a shard declares, or the texts of `failures.parquet`."""
    schema = pq.read_schema(shard)
    declared = (schema.metadata or {}).get(b"huggingface")
    if declared is None:
        return [{"name": name, "dtype": "string"} for name in schema.names]
    features: dict[str, Any] = json.loads(declared)["info"]["features"]
    return [_feature(name, feature) for name, feature in features.items()]


def _feature(name: str, feature: dict[str, Any]) -> dict[str, Any]:
    match feature.get("_type"):
        case "Audio":
            return {"name": name, "dtype": {"audio": {"sampling_rate": feature["sampling_rate"]}}}
        case "ClassLabel":
            names = {str(number): label for number, label in enumerate(feature["names"])}
            return {"name": name, "dtype": {"class_label": {"names": names}}}
        case "List":
            return {"name": name, "list": feature["feature"]["dtype"]}
        case "Value":
            return {"name": name, "dtype": feature["dtype"]}
    return {"name": name, "struct": [_feature(*inner) for inner in feature.items()]}
