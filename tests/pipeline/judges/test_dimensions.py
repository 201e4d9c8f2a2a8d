"""Arousal, valence and dominance are told by their names, and how far they are from the source."""

from __future__ import annotations

import json
import math
import shutil

import numpy as np
import pytest

from pipeline.judges.dimensions import Dimensions, regressor
from pipeline.judges.waveforms import Hearing, load_network


@pytest.mark.parametrize(
    "labels", [("arousal", "dominance", "valence"), ("Valence", "Arousal", "Dominance")]
)
def test_each_number_is_told_by_the_name_that_the_network_gives_it(
    tiny_networks, tmp_path, context, make_item, labels
):
    folder = shutil.copytree(tiny_networks / "dimensions", tmp_path / "dimensions")
    config = json.loads((folder / "config.json").read_text())
    named = {**config, "id2label": dict(enumerate(labels))}
    (folder / "config.json").write_text(json.dumps(named))
    judge = Dimensions(model=str(folder))
    model, extractor = load_network(judge, regressor())
    kids, short = make_item("kids"), make_item("short")
    clips = [kids.samples, short.samples]
    own, other = Hearing(model, extractor, lambda one: model(**one), 1, 99.0)(clips)
    assert np.ptp(own) > 1e-3  # columns differ, so that a mix-up would show

    with_source, alone = judge.load(context)([make_item(source=short.samples), kids])
    wanted = {f"dimensions_{name.lower()}": value for name, value in zip(labels, own, strict=True)}
    for scores in (with_source, alone):
        assert {name: scores[name] for name in wanted} == pytest.approx(wanted, abs=1e-5)
    apart = math.sqrt(sum((own - other) ** 2))
    assert with_source["dimensions_distance"] == pytest.approx(apart, abs=1e-5)
