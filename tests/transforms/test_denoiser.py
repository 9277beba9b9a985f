"""Wavelet denoising: nothing is lost at threshold 0, noise goes, PyWavelets agrees."""

from __future__ import annotations

import numpy as np
import pytest
import pywt
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgclf.datasets import make_beats
from ecgclf.transforms import WaveletDenoiser

some = settings(max_examples=25, deadline=None)


@some
@given(
    n_samples=st.integers(16, 200),
    wavelet=st.sampled_from(["haar", "db2", "sym4", "coif1", "bior2.2"]),
    threshold=st.sampled_from(["soft", "hard"]),
    seed=st.integers(0, 2**31),
)
def test_perfect_reconstruction_at_threshold_0(n_samples, wavelet, threshold, seed):
    X = np.random.default_rng(seed).normal(size=(2, 3, n_samples))
    X[0, :, n_samples // 2 :] = 0  # coefficients that are 0, too
    denoiser = WaveletDenoiser(wavelet=wavelet, threshold=threshold, factor=0)
    np.testing.assert_allclose(denoiser.fit_transform(X), X, atol=1e-9)


@pytest.mark.parametrize("threshold", ["soft", "hard"])
@pytest.mark.parametrize("level", [None, 2])
def test_the_universal_threshold_by_hand(threshold, level, rng):
    X = rng.normal(size=(3, 2, 187))
    denoised = WaveletDenoiser(wavelet="db4", level=level, threshold=threshold).fit_transform(X)
    for beat, row in zip(X, denoised):
        for x, lead in zip(beat, row):
            parts = pywt.wavedec(x, "db4", level=level)
            limit = np.median(np.abs(parts[-1])) / 0.6745 * np.sqrt(2 * np.log(187))
            for part in parts[1:]:
                small = np.abs(part) < limit
                part[~small] -= np.sign(part[~small]) * limit * (threshold == "soft")
                part[small] = 0
            np.testing.assert_allclose(lead, pywt.waverec(parts, "db4")[:187], atol=1e-12)


def test_noise_goes_and_the_beat_stays(rng):
    clean = make_beats(n_beats=200, fs=360, random_state=0)
    smooth = WaveletDenoiser(level=3).fit_transform(clean.data.astype(float))
    noisy = smooth + 0.1 * rng.normal(size=smooth.shape)
    denoised = WaveletDenoiser(level=3, threshold="hard").fit_transform(noisy)
    before, after = (np.sqrt(np.mean((x - smooth) ** 2)) for x in (noisy, denoised))
    assert after < 0.7 * before


def test_pure_noise_goes_but_for_the_approximation(rng):
    """The universal threshold lies above all noise with a probability that grows to 1."""
    X = rng.normal(size=(200, 512))
    denoised = WaveletDenoiser(wavelet="haar", level=5).fit_transform(X)
    blocks = denoised.reshape(200, 16, 32)  # the means of blocks are what haar keeps
    flat = np.ptp(blocks, axis=2) < 1e-9
    assert flat.mean() > 0.95
    np.testing.assert_allclose(blocks.mean(axis=2), X.reshape(200, 16, 32).mean(axis=2))


@some
@given(seed=st.integers(0, 2**31), factor=st.floats(0.01, 100), offset=st.floats(-10, 10))
def test_units_and_offsets_do_not_matter(seed, factor, offset):
    X = np.random.default_rng(seed).normal(size=(2, 100))
    denoiser = WaveletDenoiser()
    expected = factor * denoiser.transform(X) + offset
    np.testing.assert_allclose(denoiser.transform(factor * X + offset), expected, atol=1e-6)


def test_more_threshold_is_less_signal(rng):
    X = rng.normal(size=(10, 128))
    left = [WaveletDenoiser(factor=f).fit_transform(X).var() for f in (0, 0.3, 1, 3)]
    assert left == sorted(left, reverse=True)
    assert left[0] > 2 * left[-1]


def test_silence_and_constants_stay():
    X = np.stack([np.zeros(64), np.full(64, 3.0)])
    np.testing.assert_allclose(WaveletDenoiser().fit_transform(X), X, atol=1e-12)


@pytest.mark.parametrize(
    ("transformer", "match"),
    [
        (
            WaveletDenoiser(level=9),
            r"beats of 100 samples.*'sym4' to level 3, not 9: lower",
        ),
        (
            WaveletDenoiser(wavelet="db38"),
            r"of 100 samples.*'db38' to level 0, not 1.*haar",
        ),
        (WaveletDenoiser(wavelet="morl"), "'wavelet' parameter"),
        (WaveletDenoiser(level=0), "'level' parameter"),
        (WaveletDenoiser(threshold="firm"), "'threshold' parameter"),
        (WaveletDenoiser(factor=-1), "'factor' parameter"),
    ],
    ids=repr,
)
def test_parameters_that_do_not_fit(transformer, match, rng):
    with pytest.raises(ValueError, match=match):
        transformer.fit(rng.normal(size=(3, 100)))
