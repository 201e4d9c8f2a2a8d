"""OPUS-MT: a small model for each pair of languages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, ClassVar, Literal, Self

from pipeline.engine import digest
from pipeline.languages import ABOUT, Language, language_name
from pipeline.needs import Lack, Price
from pipeline.pretrained.named import (
    ModelError,
    ModelName,
    Revision,
    is_content_hash,
    model_folder,
    pinned_revision,
)
from pipeline.pretrained.present import lacking_model
from pipeline.records import Failure
from pipeline.translation.base import Fingerprints, Sentence, Translate, Translation
from pipeline.translation.readable import readable_only
from pipeline.translation.seq2seq import Running, Seq2Seq, Steering

_GROUPS: Mapping[Language, str] = {
    "ar": "ara", "az": "aze", "fa": "fas", "lv": "lav", "ms": "msa", "sq": "sqi", "sw": "swa",
}  # fmt: skip
"""ISO 639-3's codes of groups of languages, by which some models name a member."""


class Marian(Seq2Seq):
    """OPUS-MT through transformers: one small model for each pair of languages.

    Model cards: https://huggingface.co/Helsinki-NLP/opus-mt-en-de and so on. Licence: CC-BY-4.0 or
    Apache-2.0, by pair. Paper: Tiedemann, Thottingal 2020, OPUS-MT: building open translation
    services for the world, EAMT. Most are published as pickles: they need `allow_pickle: true`.
    """

    engine: Literal["marian"] = "marian"
    version: ClassVar[int] = 3
    price: ClassVar[Price] = Price("cuda", 0.005, "line", "as NLLB, by size (assumed)")
    model: ModelName = "Helsinki-NLP/opus-mt-{source}-{target}"
    """Names or paths by pair; `{source}` and `{target}` stand for the languages."""
    revisions: dict[str, Revision] = {}
    """Of each pair's model, by `en-de` and so on (none: as in `Pretrained.revision`)."""

    def lacks_for(self, pairs: Sequence[tuple[Language, Language]]) -> Iterator[Lack]:
        """Also the weights of each pair's model."""
        yield from self.lacks()
        for pair in pairs:
            yield from lacking_model(self._name(*pair), self.revisions.get(_pair(*pair)))

    def pinned_for(self, pairs: Sequence[tuple[Language, Language]]) -> Self:
        """The same settings with the revision of each pair's model.

        Raises:
            ModelError: a model or its revision can't be found.
        """
        found = {
            _pair(*pair): pinned_revision(self._name(*pair), self.revisions.get(_pair(*pair)))
            for pair in pairs
        }
        return self.model_copy(update={"revisions": {**self.revisions, **found}})

    def fingerprint(self) -> str:
        """Hash of the settings; of pinned folders the contents count and not their place."""
        fields = self.model_dump(mode="json")
        if self.revisions and all(map(is_content_hash, self.revisions.values())):
            del fields["model"]
        return digest(type(self).__name__, self.version, fields)

    def fingerprints(self) -> Fingerprints:
        """By the pair of languages: other pairs' models have no part in it."""

        def fingerprint(_texts: Sequence[str], source: Language, target: Language) -> str:
            pair = _pair(source, target)
            revisions = {name: of for name, of in self.revisions.items() if name == pair}
            own = {"model": self._name(source, target), "revisions": revisions}
            return self.model_copy(update=own).fingerprint()

        return fingerprint

    def load(self) -> Translate:
        """Open nothing yet; a pair's model is loaded when it is first needed.

        Raises:
            ModelError: when it is needed, that it can't be had, or is not what was pinned.
        """

        @cache
        def opened(source: Language, target: Language) -> Running:
            revision = self.revisions.get(_pair(source, target))
            name = self._name(source, target)
            return self.open(model_folder(name, revision, self.allow_pickle))

        def translate(
            sentences: Sequence[Sentence], source: Language, target: Language
        ) -> list[Translation | Failure]:
            return opened(source, target).translate(sentences, source, target)

        return readable_only(translate)

    def steer(self, tokenizer: Any, source: Language, target: Language) -> Steering:
        """A model with several targets has a token for each, written before the text."""
        known = tokenizer.supported_language_codes
        if not known:
            return Steering()
        mark = next((mark for mark in _marks(target) if mark in known), None)
        if mark is None:
            raise ModelError(
                f"translation.model: '{self._name(source, target)}' is told its target by a token, "
                f"and has none for {language_name(target)} among {' '.join(sorted(known)[:10])}; "
                "name a model that has it"
            )
        return Steering(prefix=f"{mark} ")

    def _name(self, source: Language, target: Language) -> str:
        return self.model.replace("{source}", source).replace("{target}", target)


def _marks(target: Language) -> Iterator[str]:
    """What a model may call the target: `>>cmn_Hans<<`, `>>deu<<`, or by older ones `>>de<<`."""
    about = ABOUT[target]
    for name in dict.fromkeys((about.iso639_3, _GROUPS.get(target, about.iso639_3), target)):
        yield from (f">>{name}_{about.script}<<", f">>{name}<<")


def _pair(source: Language, target: Language) -> str:
    return f"{source}-{target}"
