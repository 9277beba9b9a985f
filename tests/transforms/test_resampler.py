"""Resampling of beats and of positions in them."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import resample_poly

from ecgclf.datasets import load_mitbih
from ecgclf.transforms import SignalResampler

some = settings(max_examples=25, deadline=None)


def test_equals_scipy_for_each_beat(rng):
    X = rng.normal(size=(4, 2, 252))
    resampled = SignalResampler(fs_in=360, fs_out=250).fit_transform(X)
    assert resampled.shape == (4, 2, 175)
    for beat, row in zip(X, resampled):
        for x, lead in zip(beat, row):
            np.testing.assert_allclose(lead, resample_poly(x, 25, 36, padtype="line"), atol=1e-12)


@pytest.mark.parametrize(("fs_in", "fs_out"), [(360, 125), (125, 360), (1000, 120), (128.5, 257)])
def test_sine_stays_a_sine(fs_in, fs_out):
    """Except near the ends, which are extended by a line."""
    x = np.sin(2 * np.pi * 7 * np.arange(round(4 * fs_in)) / fs_in)
    resampled = SignalResampler(fs_in, fs_out).fit_transform([x])[0]
    expected = np.sin(2 * np.pi * 7 * np.arange(len(resampled)) / fs_out)
    middle = slice(round(fs_out), round(3 * fs_out))
    np.testing.assert_allclose(resampled[middle], expected[middle], atol=0.01)


def test_no_aliasing():
    """Without a filter, 100 Hz sampled at 120 Hz would appear as 20 Hz."""
    x = np.sin(2 * np.pi * 100 * np.arange(1440) / 360)
    resampled = SignalResampler(360, 120).fit_transform([x])[0]
    assert np.abs(x[::3][120:-120]).max() > 0.8
    assert np.abs(resampled[120:-120]).max() < 0.01


def test_offsets_and_ramps_are_kept():
    X = np.stack([np.full(300, 5.0), np.linspace(-2, 2, 300)])
    resampled = SignalResampler(360, 120).fit_transform(X)
    np.testing.assert_allclose(resampled, X[:, ::3], atol=2e-3)


def test_same_rate_changes_nothing(rng):
    X = rng.normal(size=(3, 2, 100))
    np.testing.assert_array_equal(SignalResampler(360, 360.0).fit_transform(X), X)


@some
@given(seed=st.integers(0, 2**31), a=st.floats(-10, 10), b=st.floats(-10, 10))
def test_linear(seed, a, b):
    x, y = np.random.default_rng(seed).normal(size=(2, 1, 2, 90))
    resampler = SignalResampler(360, 250)
    apart = a * resampler.transform(x) + b * resampler.transform(y)
    np.testing.assert_allclose(resampler.transform(a * x + b * y), apart, atol=1e-9)


# --- positions ----------------------------------------------------------------------------------


@some
@given(
    n_samples=st.integers(2, 500),
    fs_in=st.sampled_from([100, 125, 360, 1000]),
    fs_out=st.sampled_from([50, 100, 128, 360, 1000]),
)
def test_positions_are_the_nearest_samples(n_samples, fs_in, fs_out):
    X = np.zeros((1, n_samples))
    resampler = SignalResampler(fs_in, fs_out).fit(X)
    n_out = resampler.transform(X).shape[1]
    assert n_out == math.ceil(n_samples * Fraction(fs_out, fs_in))
    positions = np.arange(n_samples)
    mapped = resampler.transform_positions(positions)
    assert mapped.dtype == np.int64
    times = np.abs(positions[:, np.newaxis] / fs_in - np.arange(n_out) / fs_out)
    at_mapped = np.take_along_axis(times, mapped[:, np.newaxis], axis=1)[:, 0]
    np.testing.assert_allclose(at_mapped, times.min(axis=1), atol=1e-12)


@pytest.mark.parametrize("fs_out", [120, 125, 250, 500])
def test_positions_of_peaks(fs_out, rng):
    peaks = rng.integers(40, 210, size=50)
    X = np.exp(-(((np.arange(252) - peaks[:, np.newaxis]) / 6) ** 2))
    resampler = SignalResampler(360, fs_out).fit(X)
    found = resampler.transform(X).argmax(axis=1)
    mapped = resampler.transform_positions(peaks)
    # A peak halfway between two samples may round to either.
    assert np.abs(found - mapped).max() <= 1
    assert np.mean(found == mapped) > 0.9


def test_r_peaks_of_real_beats(mitdb_dir):
    """Compare with beats cut from records that were resampled as a whole."""
    at_360 = load_mitbih(mitdb_dir, records=["100", "103"])
    at_120 = load_mitbih(mitdb_dir, records=["100", "103"], fs=120)
    resampler = SignalResampler(360, 120).fit(at_360.data)
    resampled = resampler.transform(at_360.data)
    assert resampled.shape == at_120.data.shape
    r_peak = 90  # 0.25 s
    assert resampler.transform_positions(r_peak) == 30
    near = resampled[:, 25:36].argmax(axis=1)
    assert np.mean(np.abs(near - 5) <= 1) > 0.99
    # The samples of record and beat coincide for every third position.
    ends = (at_360.sample < 360) | (at_360.sample > 650_000 - 360)
    same = (at_360.sample % 3 == 0) & ~ends
    assert same.sum() > 1000
    apart = (resampled - at_120.data)[same]
    assert np.sqrt(np.mean(apart[:, 10:-10] ** 2)) < 1e-4
    assert np.sqrt(np.mean(apart**2)) < 5e-3


def test_invalid_positions():
    resampler = SignalResampler(360, 120)
    with pytest.raises(ValueError, match="not fitted"):
        resampler.transform_positions([3])
    resampler.fit(np.zeros((2, 252)))
    for wrong in (252, -1):
        with pytest.raises(ValueError, match=rf"position {wrong} .*beats of 252 samples.*fs_in"):
            resampler.transform_positions([[3, wrong]])
    with pytest.raises(ValueError, match="NaN"):
        resampler.transform_positions([np.nan])
    assert resampler.transform_positions([]).shape == (0,)
    assert resampler.transform_positions([[0, 251]]).tolist() == [[0, 83]]


@pytest.mark.parametrize(
    ("transformer", "match"),
    [
        (
            SignalResampler(360, 1e-3),
            r"from 360 Hz to fs=0\.001, by a factor of 2\.7",
        ),
        (SignalResampler(360, 0), "'fs_out' parameter.*Got 0"),
        (SignalResampler(-1, 120), "'fs_in' parameter"),
        (SignalResampler(float("inf"), 120), "'fs_in' parameter"),
    ],
    ids=repr,
)
def test_invalid_rates(transformer, match):
    with pytest.raises(ValueError, match=match):
        transformer.fit(np.zeros((2, 100)))
