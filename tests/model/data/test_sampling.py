"""Batches: every row once an epoch, partners side by side, and any position found again."""

from itertools import islice

import numpy as np
import pytest

from model.data.sampling import BatchSampler, Rows
from model.losses import UNKNOWN


def grid(emotions=7, languages=3, speakers=4, utterances=2):
    """A source by each speaker for each emotion and utterance, in all languages."""
    shape = (speakers, emotions, utterances, languages)
    speaker, emotion, _, language = (part.ravel() for part in np.indices(shape))
    source = np.arange(speakers * emotions * utterances).repeat(languages)
    return Rows(emotion, language, source, speaker)


def random_rows(count=301, seed=0):
    random = np.random.default_rng(seed)
    source = random.integers(0, 90, count)
    return Rows(source % 7, random.integers(0, 4, count), source, source % 5)


def epoch(sampler):
    seen, batches = 0, []
    for batch in sampler.batches():
        batches.append(batch)
        seen += len(batch)
        if seen >= len(sampler.rows):
            return batches
    return batches


@pytest.mark.parametrize("rows", [grid(), random_rows(), grid(1, 1, 1, 1)])
@pytest.mark.parametrize("paired", [False, True])
def test_an_epoch_has_every_row_once_in_batches_of_at_most_the_size(rows, paired):
    batches = epoch(BatchSampler(rows, 16, paired, seed=3))
    assert sorted(np.concatenate(batches).tolist()) == list(range(len(rows)))
    assert all(0 < len(batch) <= 16 for batch in batches)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_batches_smaller_than_a_quad_break_it_into_its_pairs(size):
    rows = grid()
    batches = epoch(BatchSampler(rows, size, True, seed=3))
    assert sorted(np.concatenate(batches).tolist()) == list(range(len(rows)))
    assert max(len(batch) for batch in batches) == size
    if size == 2:
        shared = [len(set(rows.sources[batch])) == 1 for batch in batches if len(batch) == 2]
        assert np.mean(shared) > 0.5


def test_every_row_of_a_pairable_set_finds_its_partners_in_the_batch():
    rows = grid(languages=4)
    for batch in epoch(BatchSampler(rows, 16, True, seed=1)):
        for row in batch:
            others = batch[batch != row]
            same_source = rows.sources[others] == rows.sources[row]
            abroad = rows.languages[others] != rows.languages[row]
            same_speaker = rows.speakers[others] == rows.speakers[row]
            differs = rows.emotions[others] != rows.emotions[row]
            assert (same_source & abroad).any()
            assert (same_speaker & differs).any()


def test_partners_are_there_for_nearly_all_of_an_uneven_set():
    rows = random_rows()
    found = total = 0
    for batch in epoch(BatchSampler(rows, 16, True, seed=1)):
        for row in batch:
            others = batch[batch != row]
            same = rows.emotions[others] == rows.emotions[row]
            found += (same & (rows.languages[others] != rows.languages[row])).any()
            total += 1
    assert found / total > 0.8


def at_speeds(rows, count=3):
    """The rows, each played at so many speeds, by whom counts as a speaker of its own."""
    columns = {name: np.repeat(values, count) for name, values in vars(rows).items()}
    columns["speakers"] = columns["speakers"] * count + np.tile(np.arange(count), len(rows))
    return Rows(**columns)


def test_partners_are_of_one_speaker_where_clips_are_played_at_several_speeds():
    rows = at_speeds(grid(emotions=2, languages=2, speakers=3))
    for batch in epoch(BatchSampler(rows, 4, True, seed=0)):
        assert len(set(rows.speakers[batch])) == 1
        assert len(set(rows.emotions[batch])) == len(set(rows.languages[batch])) == 2


def test_clips_of_unknown_speakers_are_no_one_s_and_still_meet_their_renditions():
    known = grid(emotions=2, languages=2, speakers=1, utterances=3)
    unknown = np.full(len(known), UNKNOWN)
    rows = Rows(known.emotions, known.languages, known.sources, unknown)
    for batch in epoch(BatchSampler(rows, 3, True, seed=0)):
        assert len(batch) == 2
        assert len(set(rows.sources[batch])) == 1


@pytest.mark.parametrize("paired", [False, True])
@pytest.mark.parametrize("position", [0, 1, 10, 11, 25, 70])
def test_any_position_is_found_again(paired, position):
    sampler = BatchSampler(grid(), 16, paired, seed=5)
    straight = list(islice(sampler.batches(), position + 5))[position:]
    resumed = list(islice(sampler.batches(position), 5))
    assert all(np.array_equal(a, b) for a, b in zip(straight, resumed, strict=True))


def test_epochs_and_seeds_differ():
    first = np.concatenate(epoch(BatchSampler(grid(), 16, True, seed=0)))
    other = np.concatenate(epoch(BatchSampler(grid(), 16, True, seed=1)))
    sampler = BatchSampler(grid(), 16, False, seed=0)
    batches = list(islice(sampler.batches(), 22))
    assert not np.array_equal(first, other)
    assert not np.array_equal(np.concatenate(batches[:11]), np.concatenate(batches[11:]))


def test_no_rows_are_refused():
    empty = np.array([], dtype=int)
    with pytest.raises(ValueError, match="no rows"):
        BatchSampler(Rows(empty, empty, empty, empty), 4, False, 0)
