"""Calls to the Hub that are made again when the network or the Hub has a bad moment."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator
from time import sleep
from typing import TypeVar

Result = TypeVar("Result")

_ATTEMPTS = 6
_LONGEST_S = 60.0
_PASSING = (408, 429, 500, 502, 503, 504)
"""HTTP states that may pass by themselves."""
_XET_STATUS = re.compile(r"HTTP status client error \((\d{3})")
"""How hf_xet tells the Hub's refusal: in the text of a ConnectionError (hf_xet 1.8)."""


class HubUnreachable(OSError):
    """The network or the Hub failed again and again; the same command goes on from there."""


def patiently(action: Callable[[], Result]) -> Result:
    """The result of an action, tried again with growing pauses as long as its error may pass.

    The client itself waits and tries again within an upload; this covers its other calls, and
    uploads that it gave up. A pause that the Hub asks for (`Retry-After`) is kept.

    Raises:
        HubUnreachable: it failed six times.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return action()
        except Exception as error:
            reason = _passing(error)
            if reason is None:
                raise
            if attempt == _ATTEMPTS:
                raise HubUnreachable(
                    f"the Hub can't be reached ({_ATTEMPTS} attempts; the last: {reason}); what "
                    "has arrived stays, and the same command goes on from there"
                ) from error
            sleep(max(_asked_s(error), _pause_s(attempt)))
    raise RuntimeError("unreachable")


def _pause_s(attempt: int) -> float:
    """1, 2, 4 ... seconds, and up to half as much again, so that many clients don't knock at once
    (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter)."""
    return min(_LONGEST_S, 2.0 ** (attempt - 1)) * random.uniform(1.0, 1.5)  # noqa: S311


def causes(error: BaseException) -> Iterator[BaseException]:
    """An error and what it was raised from: the client wraps those of its upload threads."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__


def status_of(error: BaseException) -> int | None:
    """The HTTP status that the Hub answered with, by LFS or by Xet; None if it did not answer."""
    from huggingface_hub.errors import HfHubHTTPError

    for cause in causes(error):
        if isinstance(cause, HfHubHTTPError):
            return cause.response.status_code
        if isinstance(cause, ConnectionError) and (found := _XET_STATUS.search(str(cause))):
            return int(found[1])
    return None


def _passing(error: Exception) -> str | None:
    """Why an error may pass by itself, or None."""
    import httpx2
    from huggingface_hub.errors import OfflineModeIsEnabled

    status = status_of(error)
    if status is not None:
        return f"HTTP {status}" if status in _PASSING else None
    for cause in causes(error):
        if isinstance(cause, OfflineModeIsEnabled):
            return None
        if isinstance(cause, httpx2.TransportError | ConnectionError | TimeoutError):
            return f"{type(cause).__name__}: {cause}"
        if isinstance(cause, json.JSONDecodeError):
            return "an answer that is no JSON"
    return None


def _asked_s(error: Exception) -> float:
    """Seconds that the Hub asks to wait, by `Retry-After`."""
    from huggingface_hub.errors import HfHubHTTPError

    for cause in causes(error):
        if isinstance(cause, HfHubHTTPError):
            asked = cause.response.headers.get("Retry-After", "")
            return min(float(asked), 600.0) if asked.isdecimal() else 0.0
    return 0.0
