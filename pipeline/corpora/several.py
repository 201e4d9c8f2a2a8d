"""Several corpora as one source."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, islice
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from pipeline.corpora.base import Corpus, CorpusMissing, Door, Entry, Gap
from pipeline.corpora.crema_d import CremaD
from pipeline.corpora.esd import Esd
from pipeline.corpora.iemocap import Iemocap
from pipeline.corpora.manifest import Manifest
from pipeline.corpora.meld import Meld
from pipeline.corpora.quickstart import Quickstart
from pipeline.corpora.ravdess import Ravdess

AnyPart = Annotated[
    Quickstart | Iemocap | Meld | CremaD | Esd | Ravdess | Manifest, Field(discriminator="engine")
]
"""A corpus by itself."""


class Several(Corpus):
    """Corpora one after the other, through one door; `null` in the place of one leaves it out."""

    engine: Literal["several"] = "several"
    version: ClassVar[int] = 1
    parts: Annotated[tuple[AnyPart, ...], Field(min_length=1)]
    """The corpora, in the order in which they are read."""

    @field_validator("parts", mode="before")
    @classmethod
    def _without_gaps(cls, parts: Any) -> Any:
        if not isinstance(parts, list | tuple):
            return parts
        return [part for part in parts if part is not None]

    @model_validator(mode="after")
    def _one_door(self) -> Self:
        own = [part.engine for part in self.parts if part.door != Door()]
        if own:
            raise ValueError(
                f"{', '.join(own)} has a door of its own: all parts come in through "
                "corpus.door, so move it there"
            )
        return self

    @property
    def members(self) -> tuple[Corpus, ...]:
        """The parts."""
        return self.parts

    def read(self) -> Iterator[Entry]:
        """List the parts in their order; that each is there is seen before the first is read.

        Raises:
            CorpusMissing: parts are missing; it names all of them.
        """
        opened: list[Iterator[Entry]] = []
        gaps: list[Gap] = []
        for place, part in enumerate(self.parts):
            entries = part.read()
            try:
                opened.append(chain(list(islice(entries, 1)), entries))
            except CorpusMissing as missing:
                gaps += [self._placed(gap, place) for gap in missing.gaps]
        if gaps:
            raise CorpusMissing(*gaps)
        yield from chain.from_iterable(opened)

    def _placed(self, gap: Gap, place: int) -> Gap:
        """The same gap, with the field as it stands in the recipe and the way to do without."""
        engines = [part.engine for part in self.parts]
        once = engines.count(engines[place]) == 1
        field = f"corpus.parts.{engines[place] if once else place}"
        what = f"{gap.what} To do without this corpus: --set {field}=null."
        return replace(gap, what=what, field=gap.field.replace("corpus", field, 1))
