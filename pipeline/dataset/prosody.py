"""The prosody that a row publishes: the source clip's, neutral speech's, and what was asked for.

All in the same numbers and units. What the take has in the end is among its scores, as the judge
`prosody` measures it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from pipeline.prosody.profile import SCALARS, Profile
from pipeline.prosody.target import ASKED, Target, asked_of
from pipeline.records import Take

PROSODY: Mapping[str, Sequence[str]] = {
    "prosody_source": tuple(SCALARS),
    "prosody_neutral": tuple(SCALARS),
    "prosody_target": tuple(ASKED),
}
"""Columns of a row, and the numbers in each; a column is null where there is no such thing."""

Numbers = dict[str, float]


def prosody_of(take: Take, source: str | None) -> dict[str, Numbers | None]:
    """The columns of a take; `source`: the profile of its source clip as JSON, if there is one."""
    neutral = _profile(take.reference)
    asked = None
    if neutral is not None and take.target is not None:
        every = asked_of(Target.from_dict(json.loads(take.target)), neutral)
        asked = {name: round(value, 4) for name, value in every.items()}
    return {
        "prosody_source": _numbers(_profile(source)),
        "prosody_neutral": _numbers(neutral),
        "prosody_target": asked,
    }


def _profile(stored: str | None) -> Profile | None:
    return Profile.from_dict(json.loads(stored)) if stored is not None else None


def _numbers(profile: Profile | None) -> Numbers | None:
    return None if profile is None else {name: getattr(profile, name) for name in SCALARS}
