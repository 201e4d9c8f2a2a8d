"""What was decided about each take, against its scores and the gates of the set's own recipe."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from glob import escape
from pathlib import Path

import numpy as np

from pipeline.dataset.candidates import EVERY, KEPT, read_candidates
from pipeline.dataset.layout import REJECTED_LINES
from pipeline.dataset.reading import DatasetFolder, score
from pipeline.recipe import Recipe
from pipeline.selection.choose import Decision, Selection, decide
from pipeline.selection.gates import Gate, without_quantiles
from pipeline.verify.findings import Findings


def check_decisions(dataset: DatasetFolder, recipe: Recipe, findings: Findings) -> None:
    """Decide the takes anew, as a build does, and compare; no audio is decoded.

    A part has no rejects: its kept rows are held against absolute limits alone, since quantiles
    are those of all takes. The scores that gates read are in memory, as in a build.
    """
    _check_lines(dataset, recipe, findings)
    is_part = bool(dataset.build.get("part"))
    rejected = dataset.value("SELECT count(*) FROM rejects")
    if is_part and rejected:
        findings.report("gates", "rejects", f"a part of a set has none, and here are {rejected}")
    gates = {
        f"text_gates.{name}": without_quantiles(one) for name, one in recipe.text_gates.items()
    }
    for name, gate in recipe.gates.items():
        gates[name] = without_quantiles(gate) if is_part else gate
    taken = KEPT if is_part else EVERY
    if not dataset.value("SELECT count(*) FROM kept") and (is_part or not rejected):
        return
    rows = 0
    for stated, found in _decided(dataset, gates, recipe.selection, taken):
        rows += 1
        if not _is_same(stated, found):
            what = f"it is {_said(stated)}, and by its scores {_said(found)}"
            findings.report("gates", stated.take_id, what)
    how = "held against absolute limits, as a part" if is_part else "decided anew by their scores"
    findings.checks["gates"] = f"{rows} rows {how}"


def _check_lines(dataset: DatasetFolder, recipe: Recipe, findings: Findings) -> None:
    """Lines that were not spoken, by the text gates whose limits are absolute.

    The quantiles of the others are of all lines, and a line whose takes failed has no row.
    """
    path = dataset.path / REJECTED_LINES
    gates = {name: one for name, one in recipe.text_gates.items() if without_quantiles(one) == one}
    if not gates or not path.is_file():
        return
    with findings.reading("gates", REJECTED_LINES):
        _open_lines(dataset, path, gates)
        if not dataset.value("SELECT count(*) FROM lines"):
            return
        lines = "SELECT * FROM lines"
        for stated, found in _decided(dataset, gates, Selection(), lines, spoken=False):
            failed = tuple(name for name in stated.failed if name in gates)
            here = replace(stated, failed=failed)
            is_open = stated.reason not in gates and stated.reason in recipe.text_gates
            if failed != found.failed if is_open else not _is_same(here, found):
                what = f"it is {_said(stated)}, and by its scores {_said(found)}"
                findings.report("gates", f"{REJECTED_LINES}, {stated.take_id}", what)


def _open_lines(dataset: DatasetFolder, path: Path, gates: Mapping[str, Gate]) -> None:
    """The lines as `lines`, with the columns by which takes are decided."""
    names = dict.fromkeys(name for gate in gates.values() for name in gate.score_names)
    quoted = {name: "'" + name.replace("'", "''") + "'" for name in names}
    scores = "".join(f", scores[{quoted[name]}]::DOUBLE AS {score(name)}" for name in names)
    dataset.connection.execute(
        "CREATE TEMP TABLE lines AS SELECT source_id || '.' || language AS take_id, source_id, "  # noqa: S608
        "language, emotion, coalesce(reason, 'nothing') AS said, score_name, score, threshold, "
        "failed_gates"
        f"{scores} FROM read_parquet([$1])",
        [escape(str(path))],
    )


def _decided(
    dataset: DatasetFolder,
    gates: Mapping[str, Gate],
    selection: Selection,
    taken: str,
    *,
    spoken: bool = True,
) -> Iterator[tuple[Decision, Decision]]:
    """What the folder says of each take, and what its scores say."""
    read = [name for gate in gates.values() for name in gate.score_names]
    scores = [*read, *selection.utility]
    candidates, columns = read_candidates(dataset, scores, taken, spoken=spoken)
    for row, found in enumerate(decide(candidates, gates, selection)):
        yield _stated(columns, row), found


def _stated(columns: Mapping[str, np.ndarray], row: int) -> Decision:
    limits = float(columns["score"][row]), float(columns["threshold"][row])
    failed, name = columns["failed"][row], columns["score_name"][row]
    names = tuple(failed.split(", ")) if isinstance(failed, str) and failed else ()
    held_by = name if isinstance(name, str) else None
    return Decision(columns["take_id"][row], columns["said"][row] or None, held_by, *limits, names)


def _is_same(stated: Decision, found: Decision) -> bool:
    if stated.reason is None or found.reason is None:
        return stated.reason == found.reason
    limits = ((stated.score, found.score), (stated.threshold, found.threshold))
    names = [(one.reason, one.score_name, one.failed) for one in (stated, found)]
    return names[0] == names[1] and all(
        math.isclose(one, other, rel_tol=1e-9) or (math.isnan(one) and math.isnan(other))
        for one, other in limits
    )


def _said(decision: Decision) -> str:
    if decision.reason is None:
        return "kept"
    failed = ", ".join(decision.failed)
    score = decision.score_name or "score"
    limits = f"{score} {decision.score:.10g}, threshold {decision.threshold:.10g}"
    return f"rejected by '{decision.reason}' ({limits}; failed: {failed or 'nothing'})"
