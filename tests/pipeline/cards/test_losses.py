from __future__ import annotations

import numpy as np
import pytest

from pipeline.cards.losses import Loss, clusters_of, hit_beyond_chance, losses
from pipeline.dataset.reading import open_folder


def test_independent_takes_give_wilson_s_own_interval() -> None:
    alone = Loss("angry", judged=(1,) * 4000, lost=(1,) * 400 + (0,) * 3600)
    low, high = alone.interval
    assert low == pytest.approx(0.0911, abs=2e-4)  # Wilson 1927 for 400 of 4000
    assert high == pytest.approx(0.1097, abs=2e-4)


def test_takes_that_fall_together_say_less_than_their_number() -> None:
    spread = Loss("angry", judged=(10,) * 20, lost=(1,) * 20)
    together = Loss("angry", judged=(10,) * 20, lost=(10, 10) + (0,) * 18)
    assert spread.share == together.share == 0.1
    assert np.diff(together.interval) > 2 * np.diff(spread.interval)
    assert spread.interval[0] < 0.1 < spread.interval[1]


def test_it_agrees_with_a_bootstrap_over_clusters() -> None:
    random = np.random.default_rng(0)
    judged = random.integers(8, 16, 40)
    lost = random.binomial(judged, random.beta(2, 8, 40))
    drawn = random.integers(0, 40, (4000, 40))
    shares = lost[drawn].sum(1) / judged[drawn].sum(1)
    found = Loss("angry", tuple(judged.tolist()), tuple(lost.tolist())).interval
    assert found == pytest.approx(tuple(np.quantile(shares, [0.025, 0.975])), abs=0.02)


@pytest.mark.parametrize("lost", [(0,) * 5, (12,) * 5])
def test_a_group_that_lost_all_or_nothing_is_not_taken_for_certain(lost: tuple[int, ...]) -> None:
    low, high = Loss("angry", (12,) * 5, lost).interval
    assert high - low > 0.3


@pytest.mark.parametrize("clusters", range(2, 9))
def test_a_group_that_lost_nothing_is_not_hit_harder_than_a_set_that_did(clusters: int) -> None:
    spared = Loss("angry", (2,) * clusters, (0,) * clusters)
    assert spared.interval[0] == 0
    assert hit_beyond_chance([spared], 0.0) == []
    assert Loss("angry", (2,) * clusters, (2,) * clusters).interval[1] == 1


def test_one_cluster_tells_nothing() -> None:
    assert Loss("female", (100,), (7,)).interval == (0.0, 1.0)


def test_only_a_whole_interval_above_the_set_s_share_counts() -> None:
    hit = Loss("angry", (10,) * 20, (5, 4) * 10)
    unsure = Loss("sad", (10,) * 20, (10, 10) + (0,) * 18)
    assert hit_beyond_chance([hit, unsure], 0.08) == ["angry"]


def test_few_speakers_leave_the_sentences_as_clusters(dataset_folder) -> None:
    with open_folder(dataset_folder) as dataset:
        assert clusters_of(dataset) == "sentence"
        [angry] = [one for one in losses(dataset, "emotion") if one.group == "angry"]
    assert (sorted(angry.judged), sum(angry.lost)) == ([2, 4], 2)
