"""What a model is trained on, as a training recipe says it: sets of clips and their cache."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from model.recipe.fields import Revision, Share
from pipeline.corpora.any import AnyCorpus
from pipeline.emotions import EMOTIONS
from pipeline.engine import Settings


class FolderSet(Settings):
    """A dataset folder that `m5ser build` wrote."""

    engine: Literal["folder"] = "folder"
    """Which kind of set it is."""
    path: Annotated[str, Field(min_length=1)]
    """The dataset folder."""
    rejects: Literal["none", "spare", "all"] = "none"
    """Train also on rejected takes of the utterances that train: on those that passed every gate
    but were not their line's best, or on all."""

    @property
    def title(self) -> str:
        """What a model card calls it."""
        return Path(self.path).name


class HubSet(Settings):
    """Any set that `datasets` reads: a Hub id, pinned by its revision, or a local folder."""

    engine: Literal["datasets"] = "datasets"
    """Which kind of set it is."""
    name: Annotated[str, Field(min_length=1)]
    """Its id on the Hub, as org/name, or a local folder."""
    revision: Revision | None = None
    """The commit that is meant: a branch or tag may move while its clips lie in the cache."""
    config: str | None = None
    """The set's configuration (none: its default)."""
    audio: str = "audio"
    """Column of the audio."""
    label: str = "emotion"
    """Column of the emotion."""
    language: str = "language"
    """Column of the language, or `=xx` where all rows are of one."""
    speaker: str | None = "speaker_id"
    """Column of the speaker (null: the set names none)."""
    source: str | None = "source_id"
    """Column of the sentence that rows share (null: the set names none)."""
    splits: dict[Literal["train", "validation", "test"], str] = {
        "train": "train",
        "validation": "validation",
        "test": "test",
    }
    """Our splits and what the set calls them; one left out is empty."""
    labels: dict[str, str] = {name: name for name in EMOTIONS}
    """The set's labels and the emotion of each; rows of others are dropped with a count."""

    @property
    def title(self) -> str:
        """What a model card calls it."""
        folder = Path(self.name)
        return folder.name if folder.exists() else self.name


class CorpusSet(Settings):
    """Human recordings where they lie: a corpus of the data path, of which nothing is copied.

    A recording and the takes that were made of it are positives of each other, and its speaker is
    theirs.
    """

    engine: Literal["corpus"] = "corpus"
    """Which kind of set it is."""
    corpus: AnyCorpus
    """The corpus, as in a recipe of a set."""
    language: Annotated[str, Field(min_length=2)] = "en"
    """What is spoken in it (BCP-47)."""
    like: Annotated[str, Field(min_length=1)] | None = None
    """A dataset folder that was built of it: a recording is of its takes' split, and one without
    takes is left out (none: all are of `split`)."""
    split: Literal["train", "validation", "test"] = "train"
    """Of all its recordings, where `like` is not given."""

    @property
    def title(self) -> str:
        """What a model card calls it."""
        names = [one.model_dump()["engine"] for one in self.corpus.members]
        return f"recordings of {', '.join(names)}"


AnySet = Annotated[FolderSet | HubSet | CorpusSet, Field(discriminator="engine")]


class DataSettings(Settings):
    """What is trained on, and how it lies on disk."""

    sets: Annotated[tuple[AnySet, ...], Field(min_length=1)]
    """What is trained on, all of it together."""
    cache: Literal["frames", "audio"] = "frames"
    """`frames`: Whisper runs once a clip; `audio`: at every step, in a tenth of the disk space."""
    speeds: Annotated[tuple[Annotated[float, Field(ge=0.5, le=2)], ...], Field(min_length=1)] = (
        1.0,
    )
    """Each training clip is played at all of these, pitch and all, and counts as other speakers'
    (Ko et al. 2015): where there are few speakers, it teaches what does not depend on them."""
    longest_s: Annotated[float, Field(gt=0)] = 30.0
    """Of longer clips the first so many seconds are used."""
    most_unusable: Share = 0.05
    """Share of rows whose audio may be unusable; those of other labels are dropped and counted."""

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        # A clip that is there twice would be its own positive.
        for place, one in enumerate(self.sets):
            if one in self.sets[:place]:
                raise ValueError(f"sets.{place} ({one.title}) is there before: name each set once")
        return self
