"""What the bundled Whisper and the quickstart's gate on it accept and refuse.

    python -m benchmarks.whisper_gate [--half odd|even|both] [--limit N] [--model NAME_OR_PATH]

Sentences of the quickstart are spoken in six languages as the recipe speaks them, with prosody
transfer at full strength, and judged against their text; then each take is made wrong in seven
ways. None of the sentences was seen in training. Printed by language and by emotion: the character
error rate of the right takes, the share of them that passes the recipe's gates on the transcript,
and for each kind of wrong take the share that is refused. The last line is one JSON object.

The gate's limits were chosen on the even sentences, so the odd ones are reported. `--random N`
judges N sequences of random words in each language instead (needs the extra `pretrain`), which the
model does better on than on sentences. The spoken language was right in all of the even takes: no
temperature can be fitted to that, so it stays at 1.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.script import parser_of
from benchmarks.spoken_cases import RIGHT, Case, cases, quickstart_takes, random_takes
from pipeline.emotions import EMOTIONS
from pipeline.judges.base import JudgeContext, Scores
from pipeline.judges.transcript import Whisper
from pipeline.recipe import Recipe
from pipeline.recipe_file import load_recipe
from pipeline.records import Failure
from pipeline.selection.gates import ScoreGate, apply_gate


@dataclass(frozen=True)
class Judged:
    """A case, its scores, and the gate that refused it (None: it passed all)."""

    case: Case
    scores: Scores
    refused_by: str | None


def main() -> None:
    """Make the cases, judge them, and print the tables and the JSON line."""
    options = _options()
    recipe = load_recipe("quickstart")
    judge = _judge(recipe, options.model)
    if options.random:
        items = random_takes(recipe, options.random, options.seed)
    else:
        items = quickstart_takes(recipe, options.limit, options.half)
    judged = judge_cases(recipe, judge, list(cases(recipe, items, options.seed)))
    console = Console(file=sys.stderr if options.json else sys.stdout, width=140)
    for name, keys in (("language", recipe.languages), ("emotion", EMOTIONS)):
        console.print(_table(judged, name, keys))
    results = _results(judged)
    spoken = [one.scores["language_audio_probability"] > 0.5 for one in _right(judged)]
    results["language_identified"] = round(float(np.mean(spoken)), 4)
    print(json.dumps(results))


def judge_cases(recipe: Recipe, judge: Whisper, found: Sequence[Case]) -> list[Judged]:
    """Score all cases, and hold them against the recipe's gates that read the judge's scores.

    Raises:
        RuntimeError: a case can't be judged.
    """
    score = judge.load(JudgeContext(languages=recipe.languages))
    answers = score([case.item for case in found])
    failed = [answer.error for answer in answers if isinstance(answer, Failure)]
    if failed:
        raise RuntimeError(f"{len(failed)} takes could not be judged: {failed[0]}")
    rows = [answer for answer in answers if not isinstance(answer, Failure)]
    columns = {name: np.array([row[name] for row in rows]) for name in judge.scores}
    languages = np.array([case.item.language for case in found])
    refused: list[str | None] = [None] * len(rows)
    for name, gate in recipe.gates.items():
        if isinstance(gate, ScoreGate) and gate.score in judge.scores:
            passed = apply_gate(gate, columns, languages).passed
            refused = [by or (None if ok else name) for by, ok in zip(refused, passed, strict=True)]
    return [Judged(*one) for one in zip(found, rows, refused, strict=True)]


def _right(judged: Sequence[Judged]) -> list[Judged]:
    return [one for one in judged if one.case.kind == RIGHT]


def _kinds(judged: Sequence[Judged]) -> list[str]:
    return list(dict.fromkeys(one.case.kind for one in judged))


def _results(judged: Sequence[Judged]) -> dict[str, object]:
    """The figures by name: shares of right ones passed and of wrong ones refused."""
    wrong = [one for one in judged if one.case.kind != RIGHT]
    return {
        "takes": len(judged),
        "cer": {
            language: round(_cer([one for one in judged if one.case.item.language == language]), 4)
            for language in dict.fromkeys(one.case.item.language for one in judged)
        },
        "right_passed": round(1 - _refused(_right(judged)), 4),
        "wrong_refused": round(_refused(wrong), 4),
        "refused": {
            kind: round(_refused([one for one in wrong if one.case.kind == kind]), 4)
            for kind in _kinds(wrong)
        },
    }


def _cer(judged: Sequence[Judged]) -> float:
    """Mean character error rate of the right takes."""
    return float(np.mean([one.scores["cer"] for one in _right(judged)]))


def _refused(judged: Sequence[Judged]) -> float:
    return float(np.mean([one.refused_by is not None for one in judged]))


def _table(judged: Sequence[Judged], field: str, keys: Sequence[str]) -> Table:
    """A row a language or emotion: CER and passed of the right, refused of each wrong kind."""
    wrong = [kind for kind in _kinds(judged) if kind != RIGHT]
    table = Table("", "CER", "passed", *(f"refused: {kind}" for kind in wrong))
    for key in (*keys, "all"):
        own = [one for one in judged if key in ("all", getattr(one.case.item, field))]
        if not own:
            continue
        shares = [_refused([one for one in own if one.case.kind == kind]) for kind in wrong]
        table.add_row(
            key,
            f"{_cer(own):.3f}",
            f"{1 - _refused(_right(own)):.1%}",
            *(f"{share:.1%}" for share in shares),
        )
    return table


def _judge(recipe: Recipe, model: str | None) -> Whisper:
    """The recipe's own transcript judge, on other weights if asked."""
    judge = next((one for one in recipe.judges if isinstance(one, Whisper)), None)
    if judge is None:
        raise ValueError("the quickstart recipe has no whisper judge")
    return judge.model_copy(update={"model": model, "sha256": None}) if model else judge


def _options() -> argparse.Namespace:
    parser = parser_of(__doc__)
    parser.add_argument("--limit", type=int, help="sentences of the quickstart (all)")
    parser.add_argument("--half", choices=["odd", "even", "both"], default="odd")
    parser.add_argument("--random", type=int, default=0, help="random sentences a language instead")
    parser.add_argument("--model", help="other weights than the recipe's")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print the last line alone")
    return parser.parse_args()


if __name__ == "__main__":
    main()
