"""The built-in corpus: English emotional sentences without recordings, written for m5ser."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from importlib.resources import files
from typing import ClassVar, Literal

from pipeline.corpora.base import Corpus, Entry
from pipeline.emotions import OUR_LABELS, map_label
from pipeline.records import Gender, Utterance

_GENDERS: dict[str, Gender] = {
    "anna": "female",
    "bela": "female",
    "carla": "female",
    "dora": "female",
    "greta": "female",
    "ida": "female",
    "lena": "female",
    "emil": "male",
    "felix": "male",
    "georg": "male",
    "hugo": "male",
    "ivan": "male",
    "jonas": "male",
}
"""Each says one sentence of every emotion."""


class Quickstart(Corpus):
    """The sentences of `quickstart.tsv`, spoken by thirteen imagined speakers (Apache-2.0)."""

    engine: Literal["quickstart"] = "quickstart"
    version: ClassVar[int] = 2

    def read(self) -> Iterator[Entry]:
        """List the sentences in the order of the file."""
        text = files("pipeline.corpora").joinpath("quickstart.tsv").read_text(encoding="utf-8")
        for row in csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE):
            emotion = map_label(row["emotion"], OUR_LABELS)
            if emotion is None:
                raise ValueError(
                    f"quickstart.tsv, {row['name']}: unknown emotion {row['emotion']!r}"
                )
            yield Utterance(
                id=row["name"],
                corpus="quickstart",
                text=row["en"],
                emotion=emotion,
                speaker=row["speaker"],
                gender=_GENDERS[row["speaker"]],
                licence="Apache-2.0",
            )
