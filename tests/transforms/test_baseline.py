"""Baselines compared with synthetic ones, scipy and PyWavelets."""

from __future__ import annotations

import numpy as np
import pytest
import pywt
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter1d
from scipy.signal import butter, medfilt, sosfiltfilt

from ecgclf.datasets import make_beats
from ecgclf.transforms import (
    BandpassFilter,
    BaselineWanderRemover,
    HighpassBaseline,
    MedianBaseline,
    WaveletBaseline,
)

some = settings(max_examples=25, deadline=None)

FS = 250

#: One instance of each method, for signals of several seconds.
METHODS = [MedianBaseline(), HighpassBaseline(), WaveletBaseline()]
every_method = pytest.mark.parametrize("method", METHODS, ids=repr)


def spikes(seconds: float = 16) -> np.ndarray:
    """Pairs of spikes of opposite sign, as wide as a QRS complex."""
    x = np.zeros(round(seconds * FS))
    x[FS // 2 :: FS] = 1
    x[FS // 2 + 10 :: FS] = -1
    return gaussian_filter1d(x, 3) * 8


@every_method
def test_slow_wave_is_removed_and_spikes_are_kept(method):
    seconds = np.arange(16 * FS) / FS
    wander = 0.7 + 0.5 * np.sin(2 * np.pi * 0.15 * seconds)
    cleaned = BaselineWanderRemover(FS, baseline=method).fit_transform([spikes() + wander])[0]
    middle = slice(4 * FS, -4 * FS)
    left = (cleaned - spikes())[middle]
    assert np.sqrt(np.mean(left**2)) < 0.04
    assert np.sqrt(np.mean((cleaned - spikes()) ** 2)) < 0.1


@every_method
def test_offset_is_removed(method, rng):
    x = rng.normal(size=(2, 16 * FS))
    remover = BaselineWanderRemover(FS, baseline=method)
    np.testing.assert_allclose(remover.transform(x + 3), remover.transform(x), atol=1e-9)
    np.testing.assert_allclose(remover.transform(np.full((1, 16 * FS), 3.0)), 0, atol=1e-9)


@every_method
def test_ramp_is_removed(method):
    ramp = np.linspace(-1, 1, 16 * FS)
    cleaned = BaselineWanderRemover(FS, baseline=method).fit_transform([ramp])[0]
    assert np.abs(cleaned[4 * FS : -4 * FS]).max() < 0.02


@pytest.mark.parametrize("method", [HighpassBaseline(), WaveletBaseline()], ids=repr)
@some
@given(seed=st.integers(0, 2**31), a=st.floats(-10, 10), b=st.floats(-10, 10))
def test_filter_and_wavelet_are_linear(method, seed, a, b):
    x, y = np.random.default_rng(seed).normal(size=(2, 1, 16 * FS))
    remover = BaselineWanderRemover(FS, baseline=method)
    apart = a * remover.transform(x) + b * remover.transform(y)
    np.testing.assert_allclose(remover.transform(a * x + b * y), apart, atol=1e-9)


def test_median_filters_of_200_and_600_ms(rng):
    """Away from the ends, equal to ``scipy.signal.medfilt``, which pads with zeros."""
    X = rng.normal(size=(3, 2, 800))
    cleaned = BaselineWanderRemover(fs=FS).fit_transform(X)
    for beat, row in zip(X, cleaned):
        for x, lead in zip(beat, row):
            expected = x - medfilt(medfilt(x, 51), 151)
            np.testing.assert_allclose(lead[101:-101], expected[101:-101], atol=1e-12)


@some
@given(seed=st.integers(0, 2**31))
def test_median_of_a_symmetric_beat_is_symmetric(seed):
    half = np.random.default_rng(seed).normal(size=150)
    x = np.concatenate([half, half[::-1]])
    cleaned = BaselineWanderRemover(fs=FS).transform([x])[0]
    np.testing.assert_allclose(cleaned, cleaned[::-1], atol=1e-12)


def test_median_filter_mirrors_the_ends(rng):
    x = rng.normal(size=(1, 1, 200))
    mirrored = np.concatenate([x[..., ::-1], x, x[..., ::-1]], axis=2)
    median = MedianBaseline((0.2,))
    expected = median(mirrored, FS)[..., 200:400]
    np.testing.assert_allclose(median(x, FS), expected, atol=1e-12)


def test_highpass_baseline_equals_scipy(rng):
    X = rng.normal(size=(3, 2, 900))
    cleaned = BaselineWanderRemover(
        FS, baseline=HighpassBaseline(cutoff=0.7, order=3, n_pad=500)
    ).fit_transform(X)
    sos = butter(3, 0.7, "highpass", fs=FS, output="sos")
    expected = sosfiltfilt(sos, X, padtype="even", padlen=500)
    np.testing.assert_allclose(cleaned, expected, atol=1e-9)
    same = BandpassFilter(FS, 0.7, None, 3, n_pad=500).fit_transform(X)
    np.testing.assert_allclose(cleaned, same, atol=1e-9)


def test_wavelet_baseline_equals_the_approximation(rng):
    x = rng.normal(size=4001)
    # 250 Hz halved eight times is 0.98 Hz: the approximation lies below 0.49 Hz.
    baseline = WaveletBaseline(cutoff=0.5)(x[np.newaxis, np.newaxis], FS)[0, 0]
    parts = pywt.wavedec(x, "db4", level=8)
    expected = pywt.waverec([parts[0], *(None for _ in parts[1:])], "db4")[:4001]
    np.testing.assert_allclose(baseline, expected, atol=1e-9)
    spectrum = np.abs(np.fft.rfft(baseline)) ** 2
    frequencies = np.fft.rfftfreq(4001, 1 / FS)
    assert spectrum[frequencies > 1.5].sum() < 0.05 * spectrum.sum()


def test_user_function():
    def first_sample(signals, fs):
        assert fs == 125
        return signals[..., :1]

    X = make_beats(n_beats=20, n_leads=2, random_state=0).data
    cleaned = BaselineWanderRemover(125, baseline=first_sample).fit_transform(X)
    np.testing.assert_allclose(cleaned, X - X[..., :1], atol=1e-6)


@pytest.mark.parametrize(
    ("baseline", "match"),
    [
        (MedianBaseline((2.0,)), r"median over 501 samples.*250 samples beyond.*beats of 200"),
        (MedianBaseline(()), r"windows=\(\).*seconds"),
        (MedianBaseline(0.2), r"windows=0\.2.*\(0\.2, 0\.6\)"),
        (MedianBaseline((0.2, -1)), r"windows=\(0\.2, -1\).*positive"),
        (MedianBaseline((0.2, np.inf)), "windows=.*positive"),
        (HighpassBaseline(cutoff=125), "cutoff=125 Hz.*fs=250 Hz.*below 125"),
        (HighpassBaseline(cutoff=0), "'cutoff' parameter"),
        (HighpassBaseline(order=0), "'order' parameter"),
        (HighpassBaseline(n_pad=200), "n_pad=200.*200 samples"),
        (WaveletBaseline(), r"beats of 200 samples.*'db4'.*level 4, not 8.*cutoff=0\.5.*0\.8 s"),
        (WaveletBaseline(cutoff=130), "cutoff=130 Hz.*fs=250"),
        (WaveletBaseline(wavelet="sombrero"), "'wavelet' parameter"),
        ("median", "'baseline' parameter"),
    ],
    ids=repr,
)
def test_invalid_baselines(baseline, match, rng):
    with pytest.raises(ValueError, match=match):
        BaselineWanderRemover(FS, baseline=baseline).fit(rng.normal(size=(3, 200)))
