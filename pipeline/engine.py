"""What every engine is: its settings, and a fingerprint of what they make."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler, field_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from pipeline.languages import Language
from pipeline.needs import SUMS, Lack, Price

M5SER_VERSION = "0.1.0"
Stated = TypeVar("Stated", str, Path)

_LONGEST_NAME, _LONGEST_PATH = 255, 4095
"""Bytes of a file's name and of a path, beyond which systems can't even say that it is not there
(NAME_MAX and PATH_MAX of Linux; those of others are no larger)."""


def short_enough(path: Stated) -> Stated:
    """A path, or the name of what may be one, that a system can look for.

    Raises:
        ValueError: it is longer.
    """
    sizes = [len(part) for part in os.fsencode(path).split(b"/")]
    if max(sizes) > _LONGEST_NAME or sum(sizes) + len(sizes) - 1 > _LONGEST_PATH:
        raise ValueError(
            f"'{str(path)[:60]}...' is no path: a name in it has up to {_LONGEST_NAME} bytes, and "
            f"all of it {_LONGEST_PATH}; shorten it"
        )
    return path


class Settings(BaseModel):
    """A frozen group of recipe fields in which an unknown key is an error.

    What a field is says the docstring behind it, which is its description in the JSON schema.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True
    )

    @field_validator("*")
    @classmethod
    def _short_paths(cls, value: Any) -> Any:
        return short_enough(value) if isinstance(value, Path) else value

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """The schema, where a field that has another type or default is what the base says."""
        schema = handler(core_schema)
        for name, told in handler.resolve_ref_schema(schema).get("properties", {}).items():
            if "description" not in told and (inherited := _described(cls, name)):
                told["description"] = inherited
        return schema


class Engine(Settings):
    """One way to do a stage; a subclass gives `engine` a `Literal` type, its name in recipes."""

    engine: str
    """Which of the engines it is."""
    version: ClassVar[int] = 1
    """Raise it when the same settings give another output."""
    wheels: ClassVar[tuple[str, ...]] = ()
    """Packages that bring its model along: another release of one may give another output."""
    uses_gpu: ClassVar[bool] = False
    """Whether it has work for a GPU at all."""
    price: ClassVar[Price] = SUMS
    """What it costs by others' reports, where its settings don't change that."""

    @property
    def title(self) -> str:
        """What people call it: its own name in a recipe, where it has one, else its engine's."""
        return str(getattr(self, "name", self.engine))

    @property
    def wants_gpu(self) -> bool:
        """Whether its work should wait for a GPU where there are some: not on `device: cpu`."""
        return self.uses_gpu and getattr(self, "device", "auto") != "cpu"

    @property
    def languages(self) -> frozenset[Language] | None:
        """The languages that it works in; None: all of them, or it isn't known before loading."""
        return None

    def prices(self) -> Mapping[str, Price]:
        """What it costs by others' reports, by the name of each thing in it that works."""
        return {self.title: self.price}

    def lacks(self) -> Iterator[Lack]:
        """What it needs, beside packages, and isn't on this machine; nothing is downloaded."""
        yield from ()

    def pinned(self) -> Self:
        """The settings with every revision and hash filled in, for the resolved recipe.

        Raises:
            InputError: what is named can't be found.
        """
        return self

    def fingerprint(self) -> str:
        """Hash of settings, code version and wheels: equal fingerprints mean equal output."""
        releases = [release(one) for one in self.wheels]
        return digest(type(self).__name__, self.version, self.model_dump(mode="json"), *releases)


def _described(kind: type[Settings], name: str) -> str | None:
    """What the nearest base that says something of a field says of it."""
    bases = (base for base in kind.__mro__ if issubclass(base, Settings))
    said = (base.model_fields[name].description for base in bases if name in base.model_fields)
    return next(filter(None, said), None)


@cache
def release(package: str) -> str | None:
    """The installed version of a package; None if it isn't, which loading the engine will say."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def digest(*parts: object) -> str:
    """SHA-256 (hex) of JSON-able parts, independent of key order."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def file_sha256(path: Path) -> str:
    """SHA-256 (hex) of a file, a block at a time."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
