"""Changes of beats compared with numpy and scipy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from ecgclf.augmentation import (
    AmplitudeScaling,
    BaselineWander,
    GaussianNoise,
    LeadDropout,
    TimeShift,
    TimeWarp,
)

some = settings(max_examples=25, deadline=None)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def random_beats(*shape: int, seed: int = 1) -> torch.Tensor:
    return torch.randn(shape, generator=seeded(seed))


#: Batches of beats of one or more leads.
batches = st.builds(
    random_beats,
    *(st.integers(1, 5), st.integers(1, 4), st.integers(3, 40)),
    seed=st.integers(0, 2**31),
)


# --- changes of values -----------------------------------------------------------------------


def test_noise_is_normal_and_white():
    noise = GaussianNoise(std=0.3, p=1.0)(torch.ones(400, 2, 100), seeded()) - 1
    assert stats.kstest(noise.flatten() / 0.3, "norm").pvalue > 1e-3
    flat = noise.flatten(1)
    correlation = np.corrcoef(np.vstack([flat[:, 3], flat[:, 4], flat[:, 103]]))
    np.testing.assert_allclose(correlation, np.eye(3), atol=0.2)


def test_relative_noise_scales_with_the_range_of_each_lead():
    beats = torch.ones(2000, 2, 50)  # a constant lead gets no noise
    beats[:, 0, 10] = 5.0
    beats[:, :, 40:] = 0.0  # padding does not enter the range
    changed = GaussianNoise(std=0.1, relative=True, p=1.0)(beats, seeded())
    assert torch.equal(changed[:, 1], beats[:, 1])
    assert (changed - beats)[:, 0, :40].std().item() == pytest.approx(0.4, rel=0.02)


def test_amplitude_factors_are_uniform_and_shared_by_leads():
    beats = random_beats(3000, 3, 7)
    factor = AmplitudeScaling(factor=(0.5, 1.5), p=1.0)(beats, seeded()) / beats
    torch.testing.assert_close(factor, factor[:, :1, :1].expand_as(factor))
    assert stats.kstest(factor[:, 0, 0] - 0.5, "uniform").pvalue > 1e-3


def test_baseline_wander_is_a_sinusoid():
    """Three equidistant samples of a sinusoid determine its frequency."""
    fs, frequency = 100.0, (2.0, 3.0)
    wander = BaselineWander(fs=fs, amplitude=0.4, frequency=frequency, keep_padding=False, p=1.0)
    wave = wander(torch.zeros(500, 2, 60, dtype=torch.float64), seeded())
    middle = wave[..., 1:-1]
    cosine = ((wave[..., :-2] + wave[..., 2:]) * middle).sum(2) / (2 * middle**2).sum(2)
    hertz = np.arccos(cosine.numpy()) * fs / (2 * np.pi)
    assert stats.kstest(hertz[:, 0] - 2, "uniform").pvalue > 1e-3
    # The second lead is a multiple of the first, of either sign.
    ratio = (wave[:, 1] * wave[:, 0]).sum(1) / (wave[:, 0] ** 2).sum(1)
    torch.testing.assert_close(wave[:, 1], ratio[:, None] * wave[:, 0])
    assert (ratio > 0).double().mean().item() == pytest.approx(0.5, abs=0.1)
    sizes = wave.abs().amax(dim=2)  # a beat contains more than one period
    assert stats.kstest(sizes.flatten() / 0.4, "uniform").pvalue > 1e-3
    assert wave.mean().abs() < 0.02


def test_relative_baseline_wander_scales_with_the_range():
    beats = torch.zeros(2000, 1, 50)
    beats[:, :, :25] = 8.0
    wander = BaselineWander(fs=10.0, amplitude=0.25, keep_padding=False, p=1.0)
    plain = wander(beats, seeded())
    relative = wander.set_params(relative=True)(beats, seeded())
    torch.testing.assert_close(relative - beats, 8 * (plain - beats), atol=1e-5, rtol=0)


@pytest.mark.parametrize("n_leads", [2, 3, 12])
def test_at_least_one_lead_is_kept(n_leads):
    rate = 0.4
    kept = LeadDropout(rate=rate, p=1.0)(torch.ones(6000, n_leads, 3), seeded())
    assert torch.equal(kept, kept[..., :1].expand_as(kept))
    assert set(kept.unique().tolist()) == {0.0, 1.0}
    number = kept[..., 0].sum(dim=1).int()
    assert number.min() == 1
    expected = stats.binom.pmf(np.arange(n_leads + 1), n_leads, 1 - rate)
    expected[1] += expected[0]
    shares = np.bincount(number, minlength=n_leads + 1) / 6000
    np.testing.assert_allclose(shares[1:], expected[1:], atol=0.03)
    np.testing.assert_allclose(kept.mean(dim=(0, 2)), kept.mean(), atol=0.03)


def test_rate_0_drops_no_lead():
    beats = random_beats(100, 2, 5)
    assert torch.equal(LeadDropout(rate=0.0, p=1.0)(beats, seeded()), beats)


# --- changes of time ---------------------------------------------------------------------------


@some
@given(beats=batches, factor=st.floats(0.2, 5), center=st.floats(0, 1))
def test_warp_equals_numpy_interpolation(beats, factor, center):
    beats = beats.double()
    warped = TimeWarp(factor=(factor, factor), center=center, p=1.0)(beats, seeded())
    time = np.arange(beats.shape[2])
    fixed = center * time[-1]
    where = fixed + (time - fixed) / factor
    for signal, result in zip(beats.flatten(0, 1), warped.flatten(0, 1)):
        np.testing.assert_allclose(result, np.interp(where, time, signal), atol=1e-5)


@some
@given(beats=batches)
def test_warp_by_1_changes_nothing(beats):
    assert torch.equal(TimeWarp(factor=(1, 1), p=1.0)(beats, seeded()), beats)


def test_warp_factors_are_uniform():
    """The slope of a straight line gives the factor."""
    line = torch.arange(101, dtype=torch.float64).expand(3000, 1, 101)
    warped = TimeWarp(factor=(0.5, 1.5), p=1.0)(line, seeded())
    factor = 1 / (warped[:, 0, 51] - warped[:, 0, 50])
    assert stats.kstest(factor - 0.5, "uniform").pvalue > 1e-3
    assert torch.equal(warped[:, 0, 50], line[:, 0, 50])


def test_warp_of_a_long_beat_is_accurate():
    beat = torch.sin(torch.arange(5000) / 20).expand(1, 1, 5000)
    single = TimeWarp(factor=(1.3, 1.3), p=1.0)(beat, seeded())
    double = TimeWarp(factor=(1.3, 1.3), p=1.0)(beat.double(), seeded())
    torch.testing.assert_close(single.double(), double, atol=1e-4, rtol=0)


@some
@given(beats=batches, max_shift=st.integers(0, 6))
def test_shift_equals_roll_with_repeated_ends(beats, max_shift):
    n_samples = beats.shape[2]
    max_shift = min(max_shift, n_samples - 1)
    shifted = TimeShift(max_shift=max_shift, p=1.0)(beats, seeded())
    for beat, result in zip(beats, shifted):
        rolled = {k: torch.roll(beat, k, dims=1) for k in range(-max_shift, max_shift + 1)}
        for k, expected in rolled.items():
            if k > 0:
                expected[:, :k] = beat[:, :1]
            if k < 0:
                expected[:, k:] = beat[:, -1:]
        assert any(torch.equal(result, expected) for expected in rolled.values())


def test_shifts_are_equally_likely():
    line = torch.arange(1, 22, dtype=torch.float32).expand(7000, 1, 21)
    shifted = TimeShift(max_shift=3, p=1.0)(line, seeded())
    counts = np.bincount((11 - shifted[:, 0, 10]).int() + 3)
    assert len(counts) == 7
    assert stats.chisquare(counts).pvalue > 1e-3
