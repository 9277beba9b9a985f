"""Band-pass filters, notch filters and wavelet denoising."""

from __future__ import annotations

import numpy as np
import pytest
import pywt
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import butter, iirnotch, sosfiltfilt, sosfreqz, tf2sos

from ecgclf.datasets import make_beats
from ecgclf.transforms import BandpassFilter, NotchFilter, WaveletDenoiser

some = settings(max_examples=25, deadline=None)

FS = 360
BAND = BandpassFilter(fs=FS, low=1, high=40, order=3)
NOTCH = NotchFilter(fs=FS, frequency=60, quality=10)


def wave(frequency: float, seconds: float = 12, fs: float = FS, phase: float = 0) -> np.ndarray:
    return np.cos(2 * np.pi * frequency * np.arange(round(seconds * fs)) / fs + phase)


def gain(transformer, frequency: float) -> float:
    """Gain of the filter for a sine, away from the ends."""
    middle = slice(4 * FS, 8 * FS)
    x, y = wave(frequency)[middle], transformer.transform([wave(frequency)])[0, middle]
    return float(x @ y / (x @ x))


# --- frequencies --------------------------------------------------------------------------------


@pytest.mark.parametrize("frequency", [0.25, 0.5, 1, 2, 5, 10, 25, 40, 60, 100])
def test_gain_is_the_squared_butterworth_response(frequency):
    """Filtering forwards and backwards squares the gain and cancels the phase."""
    sos = butter(3, [1, 40], "bandpass", fs=FS, output="sos")
    _, response = sosfreqz(sos, worN=[frequency], fs=FS)
    assert gain(BAND, frequency) == pytest.approx(abs(response[0]) ** 2, abs=2e-3)


def test_pass_band_stop_band_and_edges():
    for frequency in (3, 10, 20):
        assert gain(BAND, frequency) == pytest.approx(1, abs=0.01)
    for frequency in (0.25, 120, 170):
        assert abs(gain(BAND, frequency)) < 0.01
    for frequency in (1, 40):  # 6 dB
        assert gain(BAND, frequency) == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize(
    ("low", "high", "kind", "edge"), [(None, 30, "lowpass", 30), (2, None, "highpass", 2)]
)
def test_single_edge(low, high, kind, edge, rng):
    X = rng.normal(size=(3, 500))
    filtered = BandpassFilter(FS, low, high, 4, n_pad=100).fit_transform(X)
    sos = butter(4, edge, kind, fs=FS, output="sos")
    expected = sosfiltfilt(sos, X, padtype="even", padlen=100)
    np.testing.assert_allclose(filtered, expected, atol=1e-12)


def test_notch_removes_one_frequency():
    assert abs(gain(NOTCH, 60)) < 1e-3
    assert gain(NOTCH, 57) == pytest.approx(0.5, abs=0.03)  # a band of 60 / 10 Hz
    for frequency in (5, 30, 100):
        assert gain(NOTCH, frequency) == pytest.approx(1, abs=0.01)
    power_line = NotchFilter(fs=FS)
    assert abs(gain(power_line, 50)) < 0.01
    assert gain(power_line, 60) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("fs", [100, 250, 1000])
def test_frequencies_at_other_sampling_rates(fs):
    X = [wave(10, fs=fs), wave(45, fs=fs)]
    kept, removed = BandpassFilter(fs=fs, low=2, high=20, order=4).transform(X)
    assert kept.std() == pytest.approx(np.std(X[0]), rel=0.02)
    assert removed.std() < 0.01


def test_offsets():
    X = np.full((1, 2, 300), 5.0)
    np.testing.assert_allclose(BAND.transform(X), 0, atol=1e-9)
    np.testing.assert_allclose(NOTCH.transform(X), X, atol=1e-9)
    np.testing.assert_allclose(BandpassFilter(FS, None, 40).transform(X), X, atol=1e-9)


# --- comparison with scipy ----------------------------------------------------------------------


def test_equals_scipy_for_each_beat(rng):
    X = rng.normal(size=(4, 2, 187))
    sos = butter(2, [2, 40], "bandpass", fs=125, output="sos")
    band = BandpassFilter(125, 2, 40, n_pad=50).fit_transform(X)
    notch = NotchFilter(125, 50, quality=20, n_pad=0).fit_transform(X)
    for beat in range(4):
        for lead in range(2):
            x = X[beat, lead]
            expected = sosfiltfilt(sos, x, padtype="even", padlen=50)
            np.testing.assert_allclose(band[beat, lead], expected, atol=1e-12)
            sections = tf2sos(*iirnotch(50, 20, fs=125))
            expected = sosfiltfilt(sections, x, padtype=None)
            np.testing.assert_allclose(notch[beat, lead], expected, atol=1e-12)


def test_default_padding(rng):
    short, long = rng.normal(size=(2, 100)), rng.normal(size=(2, 5000))
    slow = BandpassFilter(FS, 0.5, None)
    np.testing.assert_array_equal(
        slow.transform(short), BandpassFilter(FS, 0.5, None, n_pad=99).transform(short)
    )
    # More padding changes the result by about a thousandth.
    auto = slow.transform(long)
    more = BandpassFilter(FS, 0.5, None, n_pad=4000).transform(long)
    assert 0 < np.abs(auto - more).max() < 2e-3


# --- properties ---------------------------------------------------------------------------------

signals = st.integers(0, 2**31).map(
    lambda seed: np.random.default_rng(seed).normal(size=(2, 240))
)


@pytest.mark.parametrize("transformer", [BAND, NOTCH], ids=repr)
@some
@given(X=signals, a=st.floats(-100, 100), b=st.floats(-100, 100))
def test_linear(transformer, X, a, b):
    x, y = X
    together = transformer.transform([a * x + b * y])[0]
    apart = transformer.transform(X)
    np.testing.assert_allclose(
        together, a * apart[0] + b * apart[1], atol=1e-9 * (1 + a**2 + b**2)
    )


@pytest.mark.parametrize("transformer", [BAND, NOTCH], ids=repr)
@some
@given(width=st.floats(3, 30))
def test_symmetric_signal_stays_symmetric(transformer, width):
    """The filter has no delay."""
    bump = np.exp(-(((np.arange(4001) - 2000) / width) ** 2))
    filtered = transformer.transform([bump])[0]
    np.testing.assert_allclose(filtered, filtered[::-1], atol=1e-4)
    assert filtered.argmax() == 2000


@pytest.mark.parametrize("transformer", [BAND, NOTCH], ids=repr)
@some
@given(X=signals)
def test_time_reversal(transformer, X):
    padded = np.pad(X, ((0, 0), (2000, 2000)))
    forwards = transformer.transform(padded)
    backwards = transformer.transform(padded[:, ::-1])[:, ::-1]
    np.testing.assert_allclose(forwards, backwards, atol=1e-4)


# --- invalid designs ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("transformer", "match"),
    [
        (BandpassFilter(100, 0.5, 50), r"high=50 Hz.*fs=100 Hz.*below 50 Hz.*Lower high"),
        (BandpassFilter(100, 0.5, 60), "high=60 Hz.*fs=100 Hz"),
        (BandpassFilter(100, 70, None), "low=70 Hz.*fs=100 Hz"),
        (BandpassFilter(360, 40, 0.5), r"low=40 Hz.*not below high=0\.5 Hz.*exchange"),
        (BandpassFilter(360, 5, 5), "low=5 Hz.*high=5 Hz"),
        (BandpassFilter(360, None, None), "low=None and high=None.*give one"),
        (BandpassFilter(360, n_pad=200), r"n_pad=200.*200 samples.*199 at most"),
        (NotchFilter(100), "frequency=50 Hz.*fs=100 Hz"),
        (NotchFilter(360, n_pad=200), r"n_pad=200.*200 samples"),
        (BandpassFilter(0), "'fs' parameter.*Got 0"),
        (BandpassFilter("fast"), "'fs' parameter"),
        (BandpassFilter(float("inf")), "'fs' parameter.*Got inf"),
        (BandpassFilter(float("nan")), "'fs' parameter.*Got nan"),
        (BandpassFilter(360, low=-1), "'low' parameter"),
        (BandpassFilter(360, order=0), "'order' parameter"),
        (BandpassFilter(360, order=1.5), "'order' parameter"),
        (BandpassFilter(360, n_pad=-1), "'n_pad' parameter"),
        (NotchFilter(360, quality=0), "'quality' parameter"),
    ],
    ids=repr,
)
def test_invalid_designs(transformer, match, rng):
    X = rng.normal(size=(3, 200))
    with pytest.raises(ValueError, match=match):
        transformer.fit(X)
    with pytest.raises(ValueError, match=match):
        transformer.transform(X)


def test_fs_is_required():
    with pytest.raises(TypeError, match="fs"):
        BandpassFilter()
    with pytest.raises(TypeError, match="fs"):
        NotchFilter()


# --- wavelet denoising --------------------------------------------------------------------------


@some
@given(
    n_samples=st.integers(16, 200),
    wavelet=st.sampled_from(["haar", "db2", "sym4", "coif1", "bior2.2"]),
    threshold=st.sampled_from(["soft", "hard"]),
    seed=st.integers(0, 2**31),
)
def test_perfect_reconstruction_at_threshold_0(n_samples, wavelet, threshold, seed):
    X = np.random.default_rng(seed).normal(size=(2, 3, n_samples))
    X[0, :, n_samples // 2 :] = 0  # for coefficients that are 0
    denoiser = WaveletDenoiser(wavelet=wavelet, threshold=threshold, factor=0)
    np.testing.assert_allclose(denoiser.fit_transform(X), X, atol=1e-9)


@pytest.mark.parametrize("threshold", ["soft", "hard"])
@pytest.mark.parametrize("level", [None, 2])
def test_universal_threshold_by_hand(threshold, level, rng):
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


def test_noise_is_reduced(rng):
    clean = make_beats(n_beats=200, fs=360, random_state=0)
    smooth = WaveletDenoiser(level=3).fit_transform(clean.data.astype(float))
    noisy = smooth + 0.1 * rng.normal(size=smooth.shape)
    denoised = WaveletDenoiser(level=3, threshold="hard").fit_transform(noisy)
    before, after = (np.sqrt(np.mean((x - smooth) ** 2)) for x in (noisy, denoised))
    assert after < 0.7 * before


def test_pure_noise_is_removed_except_the_approximation(rng):
    """The universal threshold exceeds all noise with a probability that tends to 1."""
    X = rng.normal(size=(200, 512))
    denoised = WaveletDenoiser(wavelet="haar", level=5).fit_transform(X)
    blocks = denoised.reshape(200, 16, 32)  # Haar keeps the means of blocks
    flat = np.ptp(blocks, axis=2) < 1e-9
    assert flat.mean() > 0.95
    np.testing.assert_allclose(blocks.mean(axis=2), X.reshape(200, 16, 32).mean(axis=2))


@some
@given(seed=st.integers(0, 2**31), factor=st.floats(0.01, 100), offset=st.floats(-10, 10))
def test_scale_and_offset_of_the_beats(seed, factor, offset):
    X = np.random.default_rng(seed).normal(size=(2, 100))
    denoiser = WaveletDenoiser()
    expected = factor * denoiser.transform(X) + offset
    np.testing.assert_allclose(denoiser.transform(factor * X + offset), expected, atol=1e-6)


def test_larger_factor_removes_more(rng):
    X = rng.normal(size=(10, 128))
    left = [WaveletDenoiser(factor=f).fit_transform(X).var() for f in (0, 0.3, 1, 3)]
    assert left == sorted(left, reverse=True)
    assert left[0] > 2 * left[-1]


def test_constant_beats_are_unchanged():
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
def test_invalid_parameters_of_the_denoiser(transformer, match, rng):
    with pytest.raises(ValueError, match=match):
        transformer.fit(rng.normal(size=(3, 100)))
