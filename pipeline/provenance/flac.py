"""Vorbis comments in FLAC: they say of a clip what it is, and leave its samples as they are.

RFC 9639 (FLAC), sections 8.1 (metadata blocks), 8.2 (STREAMINFO) and 8.6 (Vorbis comment).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass

_MAGIC = b"fLaC"
_STREAMINFO, _PADDING, _COMMENTS = 0, 1, 4
_LAST = 0x80
_MD5 = slice(18, 34)


class NotFlac(ValueError):
    """Bytes that are no FLAC stream, or whose metadata is cut off."""


@dataclass(frozen=True)
class _Stream:
    """The metadata blocks (type, content) of a stream, and its audio frames."""

    blocks: list[tuple[int, bytes]]
    frames: bytes


def with_comments(flac: bytes, comments: Mapping[str, str]) -> bytes:
    """The stream with these comments instead of its own, and without padding.

    Raises:
        NotFlac: see `NotFlac`.
    """
    stream = _parse(flac)
    vendor = next((body for kind, body in stream.blocks if kind == _COMMENTS), b"")
    written = _encode(_vendor(vendor), comments)
    kept = [block for block in stream.blocks if block[0] not in (_PADDING, _COMMENTS)]
    parts = [_block(kind, body) for kind, body in kept]
    return b"".join([_MAGIC, *parts, _block(_COMMENTS | _LAST, written), stream.frames])


def comments_of(flac: bytes) -> dict[str, str]:
    """The comments of a stream, by their names in capitals.

    Raises:
        NotFlac: see `NotFlac`.
    """
    for kind, body in _parse(flac).blocks:
        if kind == _COMMENTS:
            return _decode(body)
    return {}


def samples_md5(flac: bytes) -> str:
    """MD5 (hex) of the decoded samples as the encoder wrote it: no comment changes it.

    Raises:
        NotFlac: see `NotFlac`.
    """
    return _parse(flac).blocks[0][1][_MD5].hex()


def _parse(flac: bytes) -> _Stream:
    if not flac.startswith(_MAGIC):
        raise NotFlac("it does not begin as FLAC does")
    blocks, at, last = [], len(_MAGIC), False
    while not last:
        head = flac[at : at + 4]
        end = at + 4 + int.from_bytes(head[1:], "big")
        if len(head) < 4 or end > len(flac):
            raise NotFlac("its metadata is cut off")
        last = bool(head[0] & _LAST)
        blocks.append((head[0] & ~_LAST, flac[at + 4 : end]))
        at = end
    if blocks[0][0] != _STREAMINFO:
        raise NotFlac("its first metadata block is not STREAMINFO")
    return _Stream(blocks, flac[at:])


def _block(head: int, body: bytes) -> bytes:
    return bytes([head]) + len(body).to_bytes(3, "big") + body


def _encode(vendor: bytes, comments: Mapping[str, str]) -> bytes:
    fields = [f"{name}={value}".encode() for name, value in comments.items()]
    return _counted(vendor) + struct.pack("<I", len(fields)) + b"".join(map(_counted, fields))


def _counted(text: bytes) -> bytes:
    return struct.pack("<I", len(text)) + text


def _vendor(body: bytes) -> bytes:
    return body[4 : 4 + int.from_bytes(body[:4], "little")]


def _decode(body: bytes) -> dict[str, str]:
    try:
        return _fields(body)
    except (struct.error, UnicodeDecodeError) as wrong:
        raise NotFlac("its comments are not what they say of themselves") from wrong


def _fields(body: bytes) -> dict[str, str]:
    at = 4 + len(_vendor(body))
    (count,) = struct.unpack_from("<I", body, at)
    at += 4
    found = {}
    for _ in range(count):
        (length,) = struct.unpack_from("<I", body, at)
        name, _, value = body[at + 4 : at + 4 + length].decode().partition("=")
        found[name.upper()] = value
        at += 4 + length
    return found
