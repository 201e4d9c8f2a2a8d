"""By which names a set is loaded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.cards.header import config_names
from pipeline.dataset.layout import DATA, REJECTS
from pipeline.dataset.reading import DatasetFolder, parquet_files


@dataclass(frozen=True)
class Loading:
    """What the code examples of a card load."""

    configs: list[str]
    """Names of the parts of the set."""
    loadable: list[str]
    """Languages among them."""
    example: str | None
    """A shard, if there is any."""


def loading(dataset: DatasetFolder) -> Loading:
    """What can be loaded of a set."""
    configs = config_names(dataset)
    languages = [code for code in dataset.languages if code in configs]
    return Loading(configs, languages, _example(dataset.path))


def _example(folder: Path) -> str | None:
    shards = parquet_files(folder, DATA) or parquet_files(folder, REJECTS)
    return shards[0].relative_to(folder).as_posix() if shards else None
