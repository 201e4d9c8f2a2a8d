"""The work before there is any: a worker starts and imports the stages while others still wait."""

from __future__ import annotations

from pipeline.stages import check, judge, measure, synthesize, translate, voices

STAGES = (measure, translate, check, voices, synthesize, judge)


def run() -> int:
    """Import every stage, which calling this does; how many there are."""
    return len(STAGES)
