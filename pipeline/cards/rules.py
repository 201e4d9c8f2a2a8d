"""The gates of a finished dataset: what each asked for, in words, and where its limits lay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from pipeline.dataset.reading import DatasetFolder, score
from pipeline.selection.choose import BEST_TAKE, CHOICES
from pipeline.selection.gates import Bounds, Gate, ScoreGate, VoteGate

_GATES: TypeAdapter[dict[str, Gate]] = TypeAdapter(dict[str, Gate])

_UNITS = {
    "speech_share": "of the clip",
    "clipped_share": "of the samples",
    "chars_per_s": "characters/s",
    "phones_per_s": "phones/s",
    "peak_dbfs": "dBFS",
    "rms_dbfs": "dBFS",
    "duration_s": "s",
    "speech_s": "s",
    "text_log_probability": "mean natural logarithm a token",
    "cer": "of the characters",
    "wer": "of the words",
    "dnsmos_p808": "opinion score, 1 to 5",
    "dnsmos_sig": "opinion score, 1 to 5",
    "dnsmos_bak": "opinion score, 1 to 5",
    "dnsmos_ovrl": "opinion score, 1 to 5",
    "speaker_cosine": "cosine to its voice",
    "prosody_distance": "1: a unit of error that we set",
}
"""What a score is counted in, where its name does not say all of it."""


def gates_of(recipe: Mapping[str, Any], section: str = "gates") -> dict[str, Gate]:
    """The gates of takes (or those of lines, `text_gates`) of a resolved recipe, in its order."""
    return _GATES.validate_python(recipe.get(section, {}))


def reasons_of(recipe: Mapping[str, Any]) -> dict[str, str]:
    """Every reason for which a take can be rejected, in the order of the work, and its rule."""
    rules = {name: describe(gate) for name, gate in gates_of(recipe).items()}
    return {**rules, **{name: choice.rule for name, choice in CHOICES.items()}}


def why_spare() -> str:
    """Why takes that passed every gate were not chosen, in words."""
    # For most it is that another take is better, whatever is chosen before.
    names = sorted(CHOICES, key=lambda name: name != BEST_TAKE)
    *others, last = [CHOICES[name].spare for name in names]
    return f"{', '.join(others)} or {last}"


def score_gates(gate: Gate) -> tuple[ScoreGate, ...]:
    """The thresholds that a gate is made of: itself, or its votes."""
    return gate.votes if isinstance(gate, VoteGate) else (gate,)


def describe(gate: Gate) -> str:
    """What a gate asks for, in words."""
    if isinstance(gate, VoteGate):
        votes = "; ".join(describe(vote) for vote in gate.votes)
        if len(gate.votes) == gate.at_least == 1:
            return votes
        return f"at least {gate.at_least} of {len(gate.votes)}: {votes}"
    of_languages = [f"{code}: {_bounds(bounds)}" for code, bounds in gate.languages.items()]
    unit = f" ({_UNITS[gate.score]})" if gate.score in _UNITS else ""
    return "; ".join([f"{gate.score}{unit} {_bounds(gate)}", *of_languages])


def limits(folder: DatasetFolder, gate: ScoreGate) -> dict[str, tuple[float, float]]:
    """Lowest and highest passing value in each language, quantiles over its judged takes."""
    if gate.score not in folder.score_names:
        return {}
    of_takes = f"SELECT language, {score(gate.score)} AS value FROM takes"  # noqa: S608
    takes = folder.columns(of_takes)
    return {
        language: gate.languages.get(language, gate).limits(  # type: ignore[call-overload]
            takes["value"][takes["language"] == language].astype(np.float64)
        )
        for language in folder.languages
    }


def _bounds(bounds: Bounds) -> str:
    words = [
        "" if bounds.min is None else f"at least {bounds.min:g}",
        "" if bounds.max is None else f"at most {bounds.max:g}",
        "" if bounds.min_quantile is None else f"not of its lowest {_percent(bounds.min_quantile)}",
        ""
        if bounds.max_quantile is None
        else f"not of its highest {_percent(1 - bounds.max_quantile)}",
    ]
    return " and ".join(word for word in words if word) or "not asked"


def _percent(share: float) -> str:
    return f"{100 * share:.3g} % in its language"
