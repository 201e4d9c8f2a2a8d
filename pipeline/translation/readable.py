"""A text in another script than its language's becomes a failure of that text alone."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.languages import Language
from pipeline.records import Failure
from pipeline.scripts import script_error
from pipeline.translation.base import Sentence, Translate, Translation


def readable_only(translate: Translate) -> Translate:
    """An engine's function, which never sees a text that can't be in the source language.

    A model answers it all the same, with what has nothing to do with it.
    """

    def checked(
        sentences: Sequence[Sentence], source: Language, target: Language
    ) -> list[Translation | Failure]:
        errors = [script_error(one.text, source) for one in sentences]
        readable = [one for one, error in zip(sentences, errors, strict=True) if error is None]
        answers = iter(translate(readable, source, target) if readable else ())
        return [Failure("translate", error) if error else next(answers) for error in errors]

    return checked
