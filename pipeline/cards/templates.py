"""The templates of `data_cards/`, and the two ways in which text from data is made harmless."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

_LONGEST = 300
_BLANK_LINES = re.compile(r"\n{3,}")
_HIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")
_ACTIVE = re.compile(
    r"[&<>`*\[\]\\|~#$@]|:(?=//)|\bw(?=ww\.)|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|^[-+=]"
)
_CODE = re.compile(r"[\w.+/=-]+")


def render_html(template: str, **values: Any) -> str:
    """An HTML template, in which every text is escaped."""
    return _render(Environment(autoescape=True, **_COMMON), template, values)


def render_markdown(template: str, **values: Any) -> str:
    """A Markdown template, in which every text is escaped unless it is `Markup`."""
    environment = Environment(autoescape=True, finalize=_harmless, **_COMMON)
    return _BLANK_LINES.sub("\n\n", _render(environment, template, values))


def plain(text: str) -> str:
    """A text in one line, without control or direction characters, cut to a readable length."""
    line = " ".join(_HIDDEN.sub(" ", text).split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


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
    return Markup(" ".join(_HIDDEN.sub(" ", text.replace("`", "")).split()))  # noqa: S704


def spoken(seconds: float) -> str:
    """A length of speech in minutes or hours."""
    return f"{seconds / 3600:.1f} h" if seconds >= 3600 else f"{seconds / 60:.1f} min"


_COMMON: dict[str, Any] = {
    "undefined": StrictUndefined,
    "trim_blocks": True,
    "lstrip_blocks": True,
    "keep_trailing_newline": True,
}


def _harmless(value: Any) -> Any:
    if isinstance(value, str) and not isinstance(value, Markup):
        return markdown(value)
    return value


def _render(environment: Environment, template: str, values: dict[str, Any]) -> str:
    environment.filters.update(plain=plain, code=code, fenced=fenced, ours=ours)
    source = files("data_cards").joinpath(template).read_text(encoding="utf-8")
    return environment.from_string(source).render(**values)
