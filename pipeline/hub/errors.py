"""What the Hub refuses, as sentences with the fix."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.errors import InputError
from pipeline.hub.retry import HubUnreachable, causes, status_of

_TOKENS = "https://huggingface.co/settings/tokens"
_STORAGE = ("storage", "quota", "too large", "limit reached")


class HubRefused(InputError):
    """The Hub, or what stands there, does not allow what was asked."""


class Conflict(Exception):
    """Someone else has committed since the repository was read."""


@contextmanager
def explained(repo_id: str) -> Iterator[None]:
    """Turn the client's errors into ours.

    Raises:
        HubRefused: with the fix.
        Conflict: the repository has a newer commit.
    """
    from huggingface_hub.errors import HFValidationError, LocalTokenNotFoundError

    try:
        yield
    except LocalTokenNotFoundError as error:
        raise HubRefused(
            "there is no token for the Hub: run `hf auth login`, or set HF_TOKEN to a token that "
            f"may write ({_TOKENS})"
        ) from error
    except HubUnreachable:
        raise
    except HFValidationError as error:
        raise HubRefused(f"'{repo_id}' is no name of a repository: {error}") from error
    except Exception as error:
        if (status := status_of(error)) is not None:
            raise _refusal(repo_id, status, _said(error)) from error
        if isinstance(error, ValueError):  # the client's word for a card or file that is refused
            raise HubRefused(f"'{repo_id}': {' '.join(str(error).split())}") from error
        raise


def _said(error: Exception) -> str:
    """What the Hub said, in one line."""
    told = (getattr(cause, "server_message", None) for cause in causes(error))
    return " ".join(next(filter(None, told), "it gives no reason").split())


def _refusal(repo_id: str, status: int, said: str) -> Exception:
    if status in (409, 412):
        return Conflict(said)
    if status == 401:
        return HubRefused(
            f"the Hub does not accept the token: it is wrong or has expired ({said}); make a new "
            f"one that may write ({_TOKENS}) and run `hf auth login`, or set HF_TOKEN"
        )
    if status in (402, 413, 507) or (status == 403 and any(w in said.lower() for w in _STORAGE)):
        return HubRefused(
            f"there is no room for '{repo_id}' on the Hub: {said}; free some, ask for more "
            "(https://huggingface.co/docs/hub/storage-limits), or publish a smaller set"
        )
    if status == 403:
        return HubRefused(
            f"the token may not do this with '{repo_id}': {said}; use a token with the right to "
            "write there, or another name"
        )
    if status == 404:
        return HubRefused(
            f"'{repo_id}' was not found on the Hub ({said}): check the name and, if it is "
            "private, the token"
        )
    return HubRefused(f"the Hub refuses '{repo_id}' (HTTP {status}): {said}")
