"""Settings on disk: finding a YAML file, reading it without trust, and saying all that is wrong."""

from __future__ import annotations

import difflib
import errno
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from pipeline.errors import InputError
from pipeline.languages import LANGUAGES, meant_language

_LARGEST_BYTES = 1 << 20
_LONGEST_NUMBER = 100
"""Characters; Python writes no integer of over 4300 digits, not even into a message, and those
that YAML has to base 60 would take minutes to read."""

_MOST_ERRORS = 50
"""That are said one by one; of others, how many they are."""
_LONGEST_VALUE = 100
"""Characters of a value in an error."""
_UNREADABLE = re.compile("[\\x00\\ud800-\\udfff]")
"""What no file and no program takes: NUL, and halves of characters that JSON writes in two."""
_UNTYPED = ("binary", "omap", "pairs", "set")
"""Kinds of values that no field has; a set would come in another order each time."""

Root = TypeVar("Root", bound=BaseModel)


class BadRecipe(InputError):
    """What is wrong with a recipe: a line for each error, with field, value and fix."""

    def __init__(self, errors: Sequence[str]) -> None:
        super().__init__("\n".join(errors))
        self.errors = tuple(errors)


class _Loader(yaml.SafeLoader):  # type: ignore[misc]  # PyYAML has no types
    """Safe YAML of plain values, without aliases (a few expand to gigabytes) and repeated keys."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark
            raise BadRecipe([f"line {mark.line + 1}: YAML aliases are not allowed in a recipe"])
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        # A key that is a list or a mapping is refused below.
        for key in (key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key in seen:
                line = node.start_mark.line + 1
                raise BadRecipe([f"line {line}: '{key}' stands twice in one mapping: remove one"])
            seen.add(key)
        return dict(super().construct_mapping(node, deep))

    def construct_scalar(self, node: yaml.Node) -> Any:
        value = super().construct_scalar(node)
        if isinstance(value, str) and (wrong := _UNREADABLE.search(value)):
            line = node.start_mark.line + 1
            raise BadRecipe([f"line {line}: {wrong[0]!r} is no character of a text: take it out"])
        return value

    def construct_yaml_int(self, node: yaml.ScalarNode) -> int:
        _check_number(node)
        return int(super().construct_yaml_int(node))

    def construct_yaml_float(self, node: yaml.ScalarNode) -> float:
        _check_number(node)
        return float(super().construct_yaml_float(node))


_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_yaml_int)
_Loader.add_constructor("tag:yaml.org,2002:float", _Loader.construct_yaml_float)
for _kind in _UNTYPED:
    _Loader.add_constructor(f"tag:yaml.org,2002:{_kind}", _Loader.construct_undefined)


def _check_number(node: yaml.ScalarNode) -> None:
    if len(node.value) > _LONGEST_NUMBER:
        raise BadRecipe(
            [
                f"line {node.start_mark.line + 1}: the number {node.value[:20]}... has "
                f"{len(node.value)} characters, and at most {_LONGEST_NUMBER} are read: shorten it"
            ]
        )


def parse_settings(root: type[Root], text: str, overrides: Iterable[str] = ()) -> Root:
    """The settings of a YAML text.

    `overrides` are `field=value` with dotted fields and YAML values, as in `gates.cer.max=0.1`;
    `null` takes a section, or an entry of a list, out.

    Raises:
        BadRecipe: with every error at once.
    """
    fields = parse_yaml(text)
    if not isinstance(fields, dict):
        raise BadRecipe(["the recipe is not a mapping of fields to values"])
    for override in overrides:
        _override(fields, override)
    try:
        return root.model_validate(fields)
    except ValidationError as error:
        details = error.errors()
        said = list(_explain_all(root, fields, details[:_MOST_ERRORS]))
        others = len(details[_MOST_ERRORS:])
        raise BadRecipe([*said, *([f"and {others} more errors"] if others else [])]) from error


def read_settings(name: str, package: str) -> str:
    """The text of a file, or of a name among those that a package brings.

    Raises:
        BadRecipe: it is neither, or too large to be one.
    """
    path = Path(name)
    if _is_file(path):
        if path.stat().st_size > _LARGEST_BYTES:
            raise BadRecipe([f"'{name}' is larger than {_LARGEST_BYTES >> 20} MiB: not a recipe"])
        try:
            return path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise BadRecipe([f"'{name}' is not UTF-8: save it as UTF-8"]) from error
    bundled = {entry.name: entry for entry in files(package).iterdir()}
    found = bundled.get(path.name if path.suffix else f"{path.name}.yaml")
    if found is None:
        names = ", ".join(sorted(n.removesuffix(".yaml") for n in bundled if n.endswith(".yaml")))
        raise BadRecipe([f"there is no recipe '{_cut(name)}'; bundled are: {names}"])
    return found.read_text(encoding="utf-8")


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            return False
        raise


def parse_yaml(text: str, what: str = "the recipe") -> Any:
    """What a YAML text from anywhere holds; it has no aliases, so it is no larger than its text.

    Errors call it `what`.

    Raises:
        BadRecipe: it is no such YAML.
    """
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader
    except yaml.YAMLError as error:
        raise BadRecipe([f"{what} is not YAML: {error}"]) from error
    except RecursionError as error:
        raise BadRecipe([f"{what} is nested too deeply"]) from error
    # Of a day or a number that looks like one, or is tagged as one, and is none.
    except (ValueError, LookupError, AttributeError) as error:
        raise BadRecipe([f"{what} is not YAML: {error}"]) from error


def _override(fields: dict[str, Any], override: str) -> None:
    name, equals, value = override.partition("=")
    if not equals or not all(name.split(".")):
        raise BadRecipe([f"--set '{override}': write field=value, as in --set takes=3"])
    *parents, last = name.split(".")
    node: Any = fields
    for depth, key in enumerate(parents):
        place = _place(node, key, override, parents[:depth])
        node = node.setdefault(place, {}) if isinstance(node, dict) else node[place]
    place = _place(node, last, override, parents)
    given = parse_yaml(value, f"--set '{override}': the value")
    section = isinstance(node, list) or isinstance(node.get(place), dict)
    if given is None and section:
        del node[place]
    else:
        node[place] = given


def _place(node: Any, key: str, override: str, parents: Sequence[str]) -> Any:
    """Where a key is in a node: the key itself or, in a list, its position."""
    if isinstance(node, list):
        return _position(node, key, override)
    if isinstance(node, dict):
        return key
    path = ".".join(parents)
    raise BadRecipe([f"--set '{override}': '{path}' has no fields: leave out what follows it"])


def _position(node: list[Any], key: str, override: str) -> int:
    """Index into a list: a number, or the name, or else the engine, that stands there."""
    items = [item if isinstance(item, dict) else {} for item in node]
    for field in ("name", "engine"):
        names = [item.get(field) for item in items]
        if key in names:
            return names.index(key)
    if key.isdecimal() and int(key) < len(node):
        return int(key)
    known = [str(item.get("name", item.get("engine", at))) for at, item in enumerate(items)]
    there = f"there are {', '.join(known)}" if known else "it is empty"
    raise BadRecipe([f"--set '{override}': nothing in the list is called '{key}': {there}"])


def _explain_all(root: type[BaseModel], fields: Any, details: Sequence[Any]) -> Iterator[str]:
    """Every error in its lines; that a list is short of the items that are wrong is none."""
    above = {detail["loc"][:depth] for detail in details for depth in range(len(detail["loc"]))}
    for detail in details:
        if not (detail["type"] == "too_short" and detail["loc"] in above):
            field = _field(fields, detail["loc"], detail["type"] == "missing") or "recipe"
            said = _explain(root, detail) + (
                _other_name(fields, field) if detail["type"] == "missing" else ""
            )
            yield from (f"{field}: {line}" for line in said.splitlines())


def _field(value: Any, location: Sequence[Any], missing: bool) -> str:
    """The field as `--set` takes it: a location without the engines' names that Pydantic adds."""
    parts = []
    for part in location:
        listed = isinstance(value, list) and isinstance(part, int)
        if listed or (isinstance(value, dict) and part in value):
            parts.append(str(part))
            value = value[part]
    return ".".join(map(_cut, [*parts, str(location[-1])] if missing else parts))


def _explain(root: type[BaseModel], detail: Any) -> str:
    """Value and fix of one error."""
    context = detail.get("ctx", {})
    match detail["type"]:
        case "extra_forbidden":
            word = str(detail["loc"][-1])
            # Of another engine, a field may have the very name.
            known = [one for one in _siblings(root, deep=len(detail["loc"]) > 1) if one != word]
            return f"unknown field{_nearest(word, known) or ': remove it'}"
        case "missing":
            return "missing: add it"
        case "union_tag_invalid":
            expected = context["expected_tags"].replace("'", "")
            guess = _nearest(context["tag"], expected.split(", "))
            return f"unknown engine '{_cut(context['tag'])}'{guess}; known are: {expected}"
        case "union_tag_not_found":
            return "names no engine: add 'engine: ...'"
        case "value_error":
            return str(context["error"])
        case _:
            return f"{_cut(repr(detail['input']))} is not allowed{_rule(detail)}"


def _rule(detail: Any) -> str:
    """What is allowed instead of a value, and what of that may have been meant."""
    is_text = detail["type"] in ("path_type", "string_type") or (
        detail["type"] == "literal_error" and isinstance(detail["input"], bool)
    )
    if is_text and isinstance(detail["input"], int | float | date):
        return ": YAML reads no text in it: put it into quotes"
    if detail["type"] == "literal_error":
        known = detail["ctx"]["expected"].replace("'", "").replace(" or ", ", ").split(", ")
        return f"{_meant(detail['input'], known)}: known are {', '.join(known)}"
    return f": {detail['msg']}"


def _other_name(fields: Any, field: str) -> str:
    """Which of its neighbours a mapping that lacks a field may have been meant to be."""
    *above, name, _ = ["", *field.split(".")]
    node = fields
    for part in above[1:]:
        node = node.get(part) if isinstance(node, dict) else None
    if not isinstance(node, dict):
        return ""
    return _nearest(name, [str(one) for one in node if str(one) != name])


@cache
def _siblings(root: type[BaseModel], deep: bool) -> list[str]:
    """Field names of the model, or of all below it, for 'did you mean'."""
    schema = root.model_json_schema()
    if not deep:
        return sorted(schema["properties"])
    return sorted({name for one in schema["$defs"].values() for name in one.get("properties", {})})


def _meant(word: Any, known: Sequence[str]) -> str:
    if set(known) == set(LANGUAGES):
        language = meant_language(str(word))
        return f" (did you mean '{language}'?)" if language else ""
    return _nearest(word, known)


def _nearest(word: Any, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(_cut(str(word)), known, n=1)
    return f" (did you mean '{close[0]}'?)" if close else ""


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"
