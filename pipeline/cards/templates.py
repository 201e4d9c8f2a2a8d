"""The templates of `data_cards/`, and the two ways in which text from data is made harmless."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from pipeline.plain import one_line, plain

_BLANK_LINES = re.compile(r"\n{3,}")
_ACTIVE = re.compile(
    r"[&<>`*\[\]\\|~#$@]|:(?=//)|\bw(?=ww\.)|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|^[-+=]"
)
_CODE = re.compile(r"[\w.+/=-]+")


def render_html(template: str, **values: Any) -> str:
    """An HTML template, in which every text is escaped."""
    return _environment(None).get_template(template).render(**values)


def render_markdown(template: str, **values: Any) -> str:
    """A Markdown template, in which every text is escaped unless it is `Markup`."""
    text = _environment(_harmless).get_template(template).render(**values)
    return _BLANK_LINES.sub("\n\n", text)


def markdown(text: str) -> Markup:
    """A text as Markdown that shows it and does nothing else.

    Characters that Markdown, HTML or a table could act on become numeric entities, which CommonMark
    (0.31.2, section 2.5) never takes for markup.
    """
    return Markup(_ACTIVE.sub(lambda found: f"&#{ord(found[0])};", plain(text)))  # noqa: S704


def ours(text: str) -> Markup:
    """A text of this repository, which may be Markdown."""
    return Markup(text)  # noqa: S704 - not from data


def code(text: str) -> Markup:
    """A name as code, where it is plain enough to be one."""
    return Markup(f"`{text}`") if _CODE.fullmatch(text) else markdown(text)  # noqa: S704


def fenced(text: str) -> Markup:
    """A text in one line inside a fence of code, where nothing acts but the fence's end.

    A backtick is dropped and nothing put in its place: in a quoted command another sign could act.
    """
    return Markup(one_line(text.replace("`", "")))  # noqa: S704


def spoken(seconds: float) -> str:
    """A length of speech in minutes or hours."""
    return f"{seconds / 3600:.1f} h" if seconds >= 3600 else f"{seconds / 60:.1f} min"


def _harmless(value: Any) -> Any:
    if isinstance(value, str) and not isinstance(value, Markup):
        return markdown(value)
    return value


@cache
def _environment(finalize: Callable[[Any], Any] | None) -> Environment:
    """What renders the templates, each of which it compiles once."""
    environment = Environment(
        autoescape=True,
        finalize=finalize,
        loader=FunctionLoader(_source),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(plain=plain, code=code, fenced=fenced, ours=ours)
    return environment


def _source(template: str) -> str:
    return files("data_cards").joinpath(template).read_text(encoding="utf-8")
