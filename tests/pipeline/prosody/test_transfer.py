"""A take moves in each dimension by what was asked, and in no other way."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.prosody.frames import BANDS, band_centres_hz
from pipeline.prosody.pitch import track_pitch
from pipeline.prosody.profile import POINTS, measure
from pipeline.prosody.target import Target, from_emotion, from_source
from pipeline.prosody.timing import END_S
from pipeline.prosody.transfer import NEUTRAL_DB, PEAK, Shaped, transfer
from pipeline.synthesis.base import Speech
from tests.pipeline.prosody.signals import RATE, creaky, speech

NOTHING = Target(
    f0_level_st=0.0,
    f0_range_ratio=1.0,
    energy_db=0.0,
    energy_range_ratio=1.0,
    rate_ratio=1.0,
    pause_share=0.0,
    tilt_db_oct=0.0,
    aperiodicity_db=0.0,
    voiced_share=0.0,
    f0_yield=0.5,
    f0_contour_st=(0.0,) * POINTS,
    energy_contour_db=(0.0,) * POINTS,
    voiced_bands_db=(0.0,) * BANDS,
    unvoiced_bands_db=(0.0,) * BANDS,
)


def got(shaped: Shaped, take: int = 0) -> Target:
    return from_source(measure(shaped.takes[take], RATE, 16), shaped.reference)


def shape(target: Target, *strengths: float) -> Shaped:
    return transfer(speech(), target, strengths, range(len(strengths)))


def test_strength_zero_is_a_neutral_resynthesis_at_the_neutral_level() -> None:
    shaped = shape(from_emotion("angry", 3), 0.0)
    kept = got(shaped)
    assert shaped.reference.energy_db == NEUTRAL_DB
    assert kept.f0_level_st == pytest.approx(0.0, abs=0.2)
    assert kept.energy_db == pytest.approx(0.0, abs=0.3)
    assert kept.f0_range_ratio == pytest.approx(1.0, abs=0.1)
    assert kept.rate_ratio == pytest.approx(1.0, abs=0.05)
    assert kept.tilt_db_oct == pytest.approx(0.0, abs=0.8)


def test_the_neutral_level_is_set_by_the_caller() -> None:
    target = replace(NOTHING, energy_db=6.0)
    shaped = transfer(speech(), target, [0.0, 1.0], [0, 1], neutral_dbfs=-30.0)
    assert shaped.reference.energy_db == -30.0
    levels_db = [measure(take, RATE, 16).energy_db for take in shaped.takes]
    assert levels_db == pytest.approx([-30.0, -24.0], abs=0.5)


@pytest.mark.parametrize(
    ("change", "wanted", "tolerance"),
    [
        ({"f0_level_st": 6.0}, 6.0, 0.4),
        ({"f0_level_st": -3.0}, -3.0, 0.4),
        ({"f0_range_ratio": 1.8}, 1.8, 0.25),
        ({"f0_range_ratio": 0.5}, 0.5, 0.15),
        ({"energy_db": 12.0}, 12.0, 0.5),
        ({"energy_db": -8.0}, -8.0, 0.5),
        ({"energy_range_ratio": 1.3}, 1.3, 0.2),
        ({"rate_ratio": 1.4}, 1.4, 0.1),
        ({"rate_ratio": 0.7}, 0.7, 0.05),
        ({"pause_share": 0.24}, 0.24, 0.06),
        ({"aperiodicity_db": 6.0}, 6.0, 2.5),
    ],
)
def test_each_dimension_moves_by_what_was_asked_at_every_strength(
    change: dict[str, float], wanted: float, tolerance: float
) -> None:
    name = next(iter(change))
    shaped = shape(replace(NOTHING, **change), 1.0, 0.5)
    found = [getattr(got(shaped, take), name) for take in (0, 1)]
    half = wanted**0.5 if name.endswith("_ratio") else wanted / 2
    assert found[0] == pytest.approx(wanted, abs=tolerance)
    assert found[1] == pytest.approx(half, abs=tolerance)


@pytest.mark.parametrize("more_voiced", [0.1, -0.2])
def test_voiced_sounds_grow_at_the_cost_of_unvoiced_ones(more_voiced: float) -> None:
    target = replace(NOTHING, voiced_share=more_voiced)
    shaped = transfer(speech(hiss=0.3), target, [1.0, 0.5], [0, 1])
    for take, wanted in enumerate([more_voiced, more_voiced / 2]):
        assert got(shaped, take).voiced_share == pytest.approx(wanted, abs=0.04)
        assert got(shaped, take).rate_ratio == pytest.approx(1.0, abs=0.05)


def test_the_spectrum_moves_with_the_bands() -> None:
    bands = tuple(2.0 * np.log2(band_centres_hz() / 1000))
    shaped = shape(replace(NOTHING, voiced_bands_db=bands, unvoiced_bands_db=bands), 1.0, 0.0)
    moved = got(shaped, 0).tilt_db_oct - got(shaped, 1).tilt_db_oct
    assert moved == pytest.approx(2.0, abs=0.7)


def test_the_movement_of_the_source_is_followed() -> None:
    rise = tuple(np.linspace(-4, 4, POINTS))
    target = replace(NOTHING, f0_contour_st=rise, f0_range_ratio=2.0)
    contour = measure(shape(target, 1.0).takes[0], RATE, 16).f0_contour_st
    assert np.corrcoef(contour, rise)[0, 1] > 0.9


@pytest.mark.parametrize("sign", [1, -1])
def test_the_energy_grows_or_fades_as_the_source_does(sign: int) -> None:
    along = np.linspace(-0.5, 0.5, POINTS)
    target = replace(NOTHING, energy_contour_db=tuple(12.0 * sign * along), energy_range_ratio=1.5)
    whole, half = (
        sign * np.polyfit(along, measure(take, RATE, 16).energy_contour_db, 1)[0]
        for take in shape(target, 1.0, 0.5).takes
    )
    assert 6.0 < whole < 12.0
    assert 3.0 < half < 0.6 * whole


@pytest.mark.parametrize("name", ["voiced_bands_db", "unvoiced_bands_db"])
def test_voiced_and_unvoiced_sounds_have_colours_of_their_own(name: str) -> None:
    octaves = np.log2(band_centres_hz() / 1000)
    target = replace(NOTHING, **{name: tuple(2.0 * octaves)})
    takes = transfer(speech(hiss=0.3), target, [1.0, 0.0], [0, 0]).takes
    after, before = (measure(take, RATE, 16) for take in takes)
    for bands in ("voiced_bands_db", "unvoiced_bands_db"):
        moved = np.subtract(getattr(after, bands), getattr(before, bands))
        wanted = 2.0 if bands == name else 0.0
        assert np.polyfit(octaves, moved, 1)[0] == pytest.approx(wanted, abs=0.3)


@pytest.mark.parametrize(("slope_st", "range_ratio"), [(2.0, 0.5), (-2.0, 1.5)])
def test_a_slope_that_takes_no_part_of_the_own_movement_is_added_once(
    slope_st: float, range_ratio: float
) -> None:
    along = np.linspace(-0.5, 0.5, POINTS)
    target = replace(
        NOTHING, f0_yield=0.0, f0_contour_st=tuple(slope_st * along), f0_range_ratio=range_ratio
    )
    contour = measure(shape(target, 1.0).takes[0], RATE, 16).f0_contour_st
    falling_st = -4.0  # of the voice itself
    assert np.polyfit(along, contour, 1)[0] == pytest.approx(falling_st + slope_st, abs=0.4)


def test_nothing_rumbles_below_the_voice() -> None:
    take = shape(NOTHING, 1.0).takes[0].astype(float)
    power = np.abs(np.fft.rfft(take)) ** 2
    hz = np.fft.rfftfreq(len(take), 1 / RATE)
    below_db = 10 * np.log10(power[hz < 40].sum() / power.sum())
    assert below_db < -45.0


def test_takes_do_not_depend_on_the_takes_beside_them() -> None:
    target = from_emotion("happy", 1)
    several = transfer(speech(), target, [0.8, 1.0, 1.2], [4, 5, 6])
    for take, (strength, seed) in enumerate([(0.8, 4), (1.0, 5), (1.2, 6)]):
        single = transfer(speech(), target, [strength], [seed])
        assert np.array_equal(single.takes[0], several.takes[take])


def test_the_same_seed_gives_the_same_samples_and_another_gives_others() -> None:
    target = from_emotion("sad", 1)
    first, again, other = (transfer(speech(), target, [1.0], [seed]).takes[0] for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("energy_db", [0.0, 15.0, 40.0])
def test_nothing_clips_and_turning_down_is_recorded(energy_db: float) -> None:
    shaped = shape(replace(NOTHING, energy_db=energy_db), 1.0)
    assert np.abs(shaped.takes[0]).max() <= PEAK + 1e-6
    assert (shaped.limited_db[0] > 0) == (energy_db == 40.0)


@pytest.mark.parametrize("rate", [8_000, 16_000])
def test_takes_begin_and_end_in_quiet_at_any_rate(rate: int) -> None:
    shaped = transfer(speech(), from_emotion("angry", 0), [1.0], [0], sampling_rate=rate)
    take = shaped.takes[0]
    assert take.dtype == np.float32
    edge = rate // 200
    assert max(np.abs(take[:edge]).max(), np.abs(take[-edge:]).max()) < 0.01 * np.abs(take).max()


def test_a_voice_is_never_sent_below_what_can_be_measured() -> None:
    shaped = transfer(speech(f0_hz=90.0), replace(NOTHING, f0_level_st=-12.0), [1.0], [0])
    lowest_st = 12 * np.log2(80 / 27.5)
    assert measure(shaped.takes[0], RATE, 16).f0_level_st == pytest.approx(lowest_st, abs=0.3)


def test_no_strength_makes_a_range_wider_than_a_voice_has() -> None:
    shaped = shape(replace(NOTHING, f0_range_ratio=4.0), 1.0, 2.0)
    for take in shaped.takes:
        range_st = measure(take, RATE, 16).f0_range_st
        assert range_st == pytest.approx(4.0 * shaped.reference.f0_range_st, rel=0.1)


@pytest.mark.parametrize("strength", [0.0, 1.0])
def test_a_creaky_end_is_spoken_to_its_end_and_not_whispered(strength: float) -> None:
    rendition = replace(speech(), samples=creaky(), phones=())
    [take] = transfer(rendition, NOTHING, [strength], [0]).takes
    assert len(take) / RATE == pytest.approx(2.0 + 2 * END_S, abs=0.05)
    end = slice(-round(0.35 * RATE), -round(0.1 * RATE))
    found = track_pitch(take[end], RATE, 0.01).f0_hz
    assert np.mean(found > 0) > 0.9
    assert np.median(found[found > 0]) == pytest.approx(75.0, abs=3.0)


def test_a_rendition_that_loses_its_only_voiced_frames_is_refused() -> None:
    random = np.random.default_rng(0)
    samples = random.normal(0, 0.02, 12_000)
    times_s = np.arange(280) / RATE
    pulses = sum(np.sin(2 * np.pi * 200 * k * times_s) / k for k in range(1, 8))
    samples[4000:4280] += 0.3 * pulses * np.hanning(280)
    whispered = Speech(samples.astype(np.float32), RATE)
    assert len(transfer(whispered, NOTHING, [1.0], [0]).takes[0])
    with pytest.raises(ValueError, match="too little of the rendition is voiced"):
        transfer(whispered, replace(NOTHING, rate_ratio=2.0, voiced_share=-0.5), [1.0], [0])


def test_as_many_seeds_as_strengths() -> None:
    with pytest.raises(ValueError, match="zip"):
        transfer(speech(), NOTHING, [1.0, 0.5], [1])


def test_the_rest_around_a_take_is_silence_where_the_rendition_has_none() -> None:
    whole = speech()
    rest = round(0.2 * RATE)
    bare = replace(whole, samples=whole.samples[rest:-rest], phones=())
    [take] = transfer(bare, NOTHING, [0.0], [0]).takes
    ends = np.concatenate([take[: round(0.03 * RATE)], take[-round(0.03 * RATE) :]])
    assert np.sqrt(np.mean(ends**2)) < 0.01 * np.abs(take).max()
