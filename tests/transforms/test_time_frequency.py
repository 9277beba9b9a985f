"""Spectrograms, scalograms and Fourier transforms compared with scipy, PyWavelets and numpy."""

from __future__ import annotations

import numpy as np
import pytest
import pywt
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import get_window, spectrogram
from sklearn.pipeline import make_pipeline

from ecgclf import ECGCNNClassifier, ECGSpectrogramClassifier
from ecgclf.datasets import make_beats
from ecgclf.transforms import FourierFeatures, Scalogram, Spectrogram

some = settings(max_examples=25, deadline=None)

FS = 120


def wave(frequency: float, n_samples: int = 480) -> np.ndarray:
    return np.sin(2 * np.pi * frequency * np.arange(n_samples) / FS)


# --- spectrograms -------------------------------------------------------------------------------


@some
@given(
    frame=st.integers(2, 40),
    hop=st.integers(1, 40),
    window=st.sampled_from(["hann", "boxcar", ("tukey", 0.25), ("kaiser", 8.0), 4.0]),
    detrend=st.booleans(),
)
def test_spectrogram_equals_scipy(frame, hop, window, detrend):
    hop = min(hop, frame)
    X = np.random.default_rng(frame).normal(size=(3, 2, 87))
    ours = Spectrogram(
        fs=FS, frame=frame, hop=hop, window=window, detrend=detrend, floor_db=-60
    ).fit(X)
    pictures = ours.transform(X)
    for beat, picture in zip(X, pictures):
        frequencies, times, power = spectrogram(
            beat,
            fs=FS,
            window=get_window(window, frame),
            nperseg=frame,
            noverlap=frame - hop,
            detrend="constant" if detrend else False,
        )
        expected = 10 * np.log10(np.concatenate(power) + 1e-6)
        np.testing.assert_allclose(picture, expected, atol=1e-9)
        np.testing.assert_allclose(ours.frequencies_, frequencies)
        np.testing.assert_allclose(ours.times_, times)


def test_frame_by_hand(rng):
    """The definition of the density: |sum of x w e^(-i w t)|^2 / (fs sum of w^2), twice."""
    X = rng.normal(size=(1, 50))
    power = Spectrogram(fs=FS, frame=16, hop=10, detrend=False, log=False).fit_transform(X)
    window = get_window("hann", 16)
    part = X[0, 20:36] * window
    turning = np.exp(-2j * np.pi * np.outer(np.arange(9), np.arange(16)) / 16)
    expected = np.abs(turning @ part) ** 2 / (FS * np.sum(window**2))
    expected[1:-1] *= 2  # for the negative frequencies
    np.testing.assert_allclose(power[0, :, 2], expected, rtol=1e-9)


@pytest.mark.parametrize("frequency", [10, 25, 45])
def test_maximum_at_the_frequency_of_a_sine(frequency):
    for picture in (Spectrogram(fs=FS, frame=48), Scalogram(fs=FS, low=5, high=60)):
        middle = picture.fit_transform([wave(frequency)])[0][:, len(picture.times_) // 2]
        apart = np.abs(picture.frequencies_ - frequency)
        assert abs(middle.argmax() - apart.argmin()) <= isinstance(picture, Scalogram)


def test_range_of_frequencies(rng):
    X = rng.normal(size=(3, 100))
    whole = Spectrogram(fs=FS, frame=24, hop=6).fit(X)
    some_rows = Spectrogram(fs=FS, frame=24, hop=6, low=5, high=41).fit(X)
    assert some_rows.frequencies_.tolist() == [5, 10, 15, 20, 25, 30, 35, 40]
    assert whole.frequencies_.tolist() == list(range(0, 61, 5))
    np.testing.assert_array_equal(some_rows.transform(X), whole.transform(X)[:, 1:9])


def test_floor():
    for picture in (Spectrogram(fs=FS, floor_db=-55), Scalogram(fs=FS, floor_db=-55)):
        np.testing.assert_allclose(picture.fit_transform(np.zeros((1, 90))), -55)
        # Offsets are removed.
        np.testing.assert_allclose(picture.fit_transform(np.full((1, 90), 3.0)), -55)
        assert picture.fit_transform(wave(20)[np.newaxis]).min() >= -55


def test_leads_are_stacked_along_the_frequency_axis(rng):
    X = rng.normal(size=(2, 3, 100))
    for picture in (Spectrogram(fs=FS), Scalogram(fs=FS, n_freqs=5)):
        stacked = picture.fit_transform(X)
        n_freqs = len(picture.frequencies_)
        assert stacked.shape == (2, 3 * n_freqs, len(picture.times_))
        for lead in range(3):
            rows = slice(lead * n_freqs, (lead + 1) * n_freqs)
            np.testing.assert_allclose(stacked[:, rows], picture.fit_transform(X[:, lead]))


# --- scalograms ---------------------------------------------------------------------------------


@pytest.mark.parametrize("wavelet", ["cmor1.5-1.0", "mexh", "morl", "gaus3"])
def test_scalogram_equals_pywavelets(wavelet, rng):
    X = rng.normal(size=(2, 2, 87))
    ours = Scalogram(fs=FS, low=5, high=30, n_freqs=6, wavelet=wavelet, hop=4, floor_db=-60)
    pictures = ours.fit_transform(X)
    scales = pywt.frequency2scale(wavelet, ours.frequencies_ / FS)
    for beat, picture in zip(X, pictures):
        for x, rows in zip(beat, picture.reshape(2, 6, -1)):
            parts, frequencies = pywt.cwt(x - x.mean(), scales, wavelet, 1 / FS, method="conv")
            expected = 10 * np.log10(np.abs(parts[:, ::4]) ** 2 + 1e-6)
            np.testing.assert_allclose(rows, expected, atol=1e-6)
            np.testing.assert_allclose(frequencies, ours.frequencies_, rtol=1e-9)


def test_frequencies_and_times_of_a_scalogram():
    scalogram = Scalogram(fs=FS, low=2, high=None, n_freqs=10, hop=3).fit(np.zeros((1, 100)))
    assert scalogram.frequencies_[[0, -1]] == pytest.approx([2, 60])
    ratios = scalogram.frequencies_[1:] / scalogram.frequencies_[:-1]
    np.testing.assert_allclose(ratios, 30 ** (1 / 9))
    np.testing.assert_allclose(scalogram.times_, np.arange(34) / 40)


def test_maximum_at_the_time_of_an_impulse():
    x = np.zeros((1, 200))
    x[0, 120] = 1
    power = Scalogram(fs=FS, low=10, log=False, detrend=False).fit_transform(x)[0]
    assert set(power.argmax(axis=1)) <= {119, 120, 121}
    power = Spectrogram(fs=FS, hop=1, log=False, detrend=False).fit_transform(x)[0]
    assert set(power.argmax(axis=1)) <= {120 - 16, 120 - 15}


# --- Fourier transforms -------------------------------------------------------------------------


@some
@given(n_samples=st.integers(3, 50), n_leads=st.integers(1, 3))
def test_fourier_features_equal_numpy(n_samples, n_leads):
    X = np.random.default_rng(n_samples).normal(size=(4, n_leads, n_samples))
    features = FourierFeatures().fit_transform(X)
    assert features.shape == (4, 2 * n_leads, n_samples // 2 + 1)
    spectrum = np.fft.rfft(X)
    np.testing.assert_allclose(features[:, :n_leads], spectrum.real, atol=1e-12)
    np.testing.assert_allclose(features[:, n_leads:], spectrum.imag, atol=1e-12)
    back = np.fft.irfft(features[:, :n_leads] + 1j * features[:, n_leads:], n=n_samples)
    np.testing.assert_allclose(back, X, atol=1e-12)


@pytest.mark.parametrize("n_samples", [60, 61])
def test_network_after_fourier_features(n_samples):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 2, n_samples)).astype(np.float32)
    y = np.arange(40) % 3
    spectrum = np.fft.rfft(X.astype(float))
    parts = np.concatenate([spectrum.real, spectrum.imag], axis=1).astype(np.float32)
    params = {"filters": (4, 8), "stride": 2, "max_epochs": 2, "verbose": 0, "random_state": 0}
    model = make_pipeline(FourierFeatures(), ECGCNNClassifier(**params)).fit(X, y)
    reference = ECGCNNClassifier(**params).fit(parts, y)
    np.testing.assert_allclose(
        model.decision_function(X), reference.decision_function(parts), rtol=1e-3, atol=1e-3
    )
    assert model[-1].n_leads_ == 4


# --- before a network ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "picture", [Spectrogram(fs=FS), Scalogram(fs=FS, n_freqs=12, hop=3)], ids=repr
)
@pytest.mark.parametrize("n_leads", [1, 2])
def test_input_of_the_spectrogram_classifier(picture, n_leads):
    X, y = make_beats(n_beats=60, n_leads=n_leads, fs=FS, random_state=0, return_X_y=True)
    network = ECGSpectrogramClassifier(filters=(4,), max_epochs=1, verbose=0, random_state=0)
    model = make_pipeline(picture, network).fit(X, y)
    assert model.predict(X).shape == y.shape
    assert network.n_leads_ == n_leads * len(picture.frequencies_)
    assert network.n_samples_ == len(picture.times_)


@pytest.mark.parametrize(
    ("transformer", "match"),
    [
        (Spectrogram(FS, frame=91), r"frame=91 samples.*beats of 90.*shorten"),
        (Spectrogram(FS, frame=16, hop=17), "hop=17.*frame=16"),
        (Spectrogram(FS, high=61), "high=61 Hz.*fs=120 Hz.*60 Hz"),
        (Spectrogram(FS, low=30, high=20), "low=30 Hz.*high=20 Hz"),
        (Spectrogram(FS, low=70), "low=70 Hz.*high=60 Hz"),
        (Spectrogram(FS, low=5, high=6), r"low=5 and high=6 Hz.*3\.75 Hz apart"),
        (Spectrogram(FS, window="door"), "window='door'.*get_window.*'hann'"),
        (Spectrogram(FS, window=("tukey", "wide")), "window=.*wide.*get_window"),
        (Spectrogram(FS, frame=0), "'frame' parameter"),
        (Spectrogram(FS, floor_db=float("inf")), "'floor_db' parameter"),
        (Spectrogram(0), "'fs' parameter"),
        (Scalogram(FS, high=61), "high=61 Hz.*fs=120 Hz.*60 Hz"),
        (Scalogram(60), "high=40 Hz.*fs=60 Hz.*30 Hz"),
        (Scalogram(FS, low=50), "low=50 Hz.*high=40 Hz"),
        (Scalogram(FS, low=0), "'low' parameter"),
        (Scalogram(FS, wavelet="db4"), "wavelet='db4'.*continuous.*morl"),
        (Scalogram(FS, wavelet="sombrero"), "wavelet='sombrero'.*continuous"),
        (Scalogram(FS, hop=0), "'hop' parameter"),
        (Scalogram(FS, n_freqs=0), "'n_freqs' parameter"),
    ],
    ids=repr,
)
def test_invalid_parameters(transformer, match, rng):
    with pytest.raises(ValueError, match=match):
        transformer.fit(rng.normal(size=(3, 90)))
