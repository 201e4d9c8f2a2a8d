"""Text of tables whose encoding nobody states, and that went through more than one."""

from __future__ import annotations

from pathlib import Path

from pipeline.corpora.listing import BadListing

_LARGEST_BYTES = 256 << 20
"""Of a table, which is read whole; those of the corpora have a few MiB."""


def _windows() -> dict[int, str]:
    """What U+0080 to U+009F stand for where Windows-1252 was read as Latin-1."""
    meant = {byte: bytes([byte]).decode("cp1252", "ignore") for byte in range(0x80, 0xA0)}
    return {byte: character for byte, character in meant.items() if character}


_WINDOWS = _windows()


def read_decoded(table: Path) -> str:
    """The text of a file; see `decode`.

    Raises:
        BadListing: it is larger than any table.
    """
    if table.stat().st_size > _LARGEST_BYTES:
        raise BadListing(
            f"corpus.path: '{table.name}' is larger than {_LARGEST_BYTES >> 20} MiB: get it anew"
        )
    return decode(table.read_bytes())


def decode(data: bytes) -> str:
    """Text that is UTF-16 by its mark, or else UTF-8, or else Windows-1252.

    A byte that has no meaning there becomes U+FFFD, which the door refuses.
    """
    return _decoded(data).translate(_WINDOWS)


def _decoded(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")
