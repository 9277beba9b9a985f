"""Beat windows, against plain loops and slices."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import resample_poly

from ecgclf.datasets._windows import (
    fixed_windows,
    kaggle_lengths,
    kaggle_windows,
    resample,
    resampling_ratio,
    window_samples,
)


@settings(deadline=None, max_examples=60)
@given(
    n_samples=st.integers(1, 60),
    n_leads=st.integers(1, 3),
    before=st.integers(0, 20),
    after=st.integers(1, 20),
    data=st.data(),
)
def test_fixed_windows_equal_a_loop_with_clipped_indices(
    n_samples: int, n_leads: int, before: int, after: int, data: st.DataObject
) -> None:
    positions = np.array(data.draw(st.lists(st.integers(0, n_samples - 1), max_size=8)), int)
    signal = np.random.default_rng(0).normal(size=(n_leads, n_samples)).astype(np.float32)
    cut = fixed_windows(signal, positions, before, after)
    assert cut.shape == (len(positions), n_leads, before + after)
    for window, position in zip(cut, positions, strict=True):
        index = np.clip(np.arange(position - before, position + after), 0, n_samples - 1)
        np.testing.assert_array_equal(window, signal[:, index])


def naive_kaggle_rows(signal: np.ndarray, sample: np.ndarray) -> np.ndarray:
    """Cut the rows as described, for every annotation but the last."""
    rows = []
    for j in range(len(sample) - 1):
        following = sample[j + 2] if j + 2 < len(sample) else len(signal)
        length = int((sample[j + 1] - sample[j]) + 0.2 * (following - sample[j + 1]))
        window = signal[sample[j] : sample[j] + length][::3].astype(np.float64)
        row = np.zeros(187)
        if len(window) and window.max() > window.min():
            scaled = (window - window.min()) / (window.max() - window.min())
            row[: min(187, len(scaled))] = scaled[:187]
        rows.append(row.astype(np.float32))
    return np.array(rows, dtype=np.float32).reshape(-1, 187)


@settings(deadline=None, max_examples=60)
@given(steps=st.lists(st.integers(1, 900), min_size=1, max_size=12), seed=st.integers(0, 99))
def test_kaggle_windows_equal_a_loop_bit_for_bit(steps: list[int], seed: int) -> None:
    sample = np.cumsum(steps)
    n_samples = int(sample[-1]) + steps[0]
    signal = np.random.default_rng(seed).integers(-2048, 2048, size=(1, n_samples))
    lengths = kaggle_lengths(sample, n_samples)
    rows = kaggle_windows(signal.astype(np.int16), sample[:-1], lengths)
    np.testing.assert_array_equal(rows[:, 0], naive_kaggle_rows(signal[0], sample), strict=True)


def test_kaggle_window_of_a_flat_signal_is_zero() -> None:
    rows = kaggle_windows(np.full((1, 900), 7), np.array([0]), np.array([600]))
    np.testing.assert_array_equal(rows, np.zeros((1, 1, 187), dtype=np.float32), strict=True)


def test_kaggle_windows_of_several_leads() -> None:
    signal = np.random.default_rng(0).integers(0, 2048, size=(2, 2000))
    sample = np.array([100, 400, 800, 1300])
    lengths = kaggle_lengths(sample, 2000)
    rows = kaggle_windows(signal, sample[:-1], lengths)
    for lead in range(2):
        np.testing.assert_array_equal(rows[:, lead], naive_kaggle_rows(signal[lead], sample))


def test_resampling_removes_frequencies_above_the_new_nyquist_frequency() -> None:
    time = np.arange(3600) / 360
    slow, fast = np.sin(2 * np.pi * 5 * time), np.sin(2 * np.pi * 100 * time)
    ratio = resampling_ratio(360, 125)
    low, high = resample(np.stack([slow, fast]), ratio)
    expected = np.sin(2 * np.pi * 5 * np.arange(1250) / 125)
    np.testing.assert_allclose(low[50:-50], expected[50:-50], atol=0.01)
    assert np.abs(high[50:-50]).max() < 0.01


def test_resampling_equals_scipy_and_keeps_an_offset_and_the_type() -> None:
    signal = np.random.default_rng(0).normal(5, 1, size=(2, 720)).astype(np.float32)
    resampled = resample(signal, Fraction(25, 36))
    assert resampled.dtype == np.float32
    expected = resample_poly(signal.astype(np.float64), 25, 36, axis=1, padtype="line")
    np.testing.assert_allclose(resampled, expected, atol=1e-4)
    flat = resample(np.full((1, 720), 3.0), Fraction(25, 36))
    np.testing.assert_allclose(flat, 3.0, atol=1e-3)
    assert resample(signal, Fraction(1)) is signal


@pytest.mark.parametrize(
    ("fs", "expected"), [(360, 1), (125, Fraction(25, 72)), (128.5, Fraction(257, 720))]
)
def test_resampling_ratio(fs: float, expected: Fraction) -> None:
    assert resampling_ratio(360, fs) == expected


@pytest.mark.parametrize("fs", [0, -1, np.nan, np.inf, "360", True])
def test_invalid_rate(fs: object) -> None:
    with pytest.raises(ValueError, match=r"fs=.*expected a positive number of Hz"):
        resampling_ratio(360, fs)


@pytest.mark.parametrize("fs", [1e-3, 1e9])
def test_a_rate_that_is_too_far_away(fs: float) -> None:
    with pytest.raises(ValueError, match=r"from 360 Hz to fs="):
        resampling_ratio(360, fs)


@pytest.mark.parametrize(
    "window", [0.5, (0.1,), (0.1, 0.2, 0.3), (-0.1, 0.3), (0.1, np.nan), ("a", "b"), None]
)
def test_invalid_window(window: object) -> None:
    with pytest.raises(ValueError, match=r"window=.*seconds before and after"):
        window_samples(window, 360)


def test_window_shorter_than_a_sample() -> None:
    with pytest.raises(ValueError, match=r"contains no sample at fs=100 Hz"):
        window_samples((0.001, 0.001), 100)


@pytest.mark.parametrize(
    ("fs", "fs_new"),
    [(249.99, 120), (333.33, 250), (512.414, 125), (360, 249.99), (128, 512.414)],
)
def test_resampling_by_any_ratio(fs: float, fs_new: float) -> None:
    old = np.arange(int(60 * fs)) / fs
    waves = [np.sin(2 * np.pi * 17 * old) + 0.5, np.cos(2 * np.pi * 3 * old)]
    resampled = resample(np.stack(waves), resampling_ratio(fs, fs_new))
    new = np.arange(resampled.shape[1]) / fs_new
    assert resampled.shape[1] == int(np.ceil(len(old) * fs_new / fs))
    expected = np.stack([np.sin(2 * np.pi * 17 * new) + 0.5, np.cos(2 * np.pi * 3 * new)])
    inner = slice(100, -100)
    np.testing.assert_allclose(resampled[:, inner], expected[:, inner], atol=0.01)


def test_resampling_does_not_drift_over_24_hours() -> None:
    fs, fs_new = 51.213, 50.0
    old = np.arange(int(24 * 3600 * fs)) / fs
    resampled = resample(np.sin(2 * np.pi * old)[np.newaxis], resampling_ratio(fs, fs_new))[0]
    last = np.arange(len(resampled))[-600:-100] / fs_new
    np.testing.assert_allclose(resampled[-600:-100], np.sin(2 * np.pi * last), atol=0.01)
