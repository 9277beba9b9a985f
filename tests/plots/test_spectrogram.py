"""Tests of SpectrogramDisplay."""

from __future__ import annotations

from types import SimpleNamespace

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from scipy.signal import spectrogram

from ecgclf.plots import SpectrogramDisplay

FS = 100.0


@pytest.fixture
def tone():
    """Spectrogram of a sine of 20 Hz."""
    signal = np.sin(2 * np.pi * 20 * np.arange(400) / FS)
    frequencies, times, power = spectrogram(signal, FS, nperseg=50, noverlap=40)
    return power, frequencies, times


class Spectrogram:
    """Transformer that reshapes beats to spectrograms."""

    def __init__(self, frequencies, times, log=False):
        self.frequencies_, self.times_, self.log = frequencies, times, log

    def transform(self, X):
        shape = (len(self.frequencies_), len(self.times_))
        return np.asarray(X).reshape(len(X), *shape)


def test_decibels(tone):
    power, frequencies, times = tone
    display = SpectrogramDisplay(power, frequencies, times).plot()
    shown = np.asarray(display.mesh_.get_array()).reshape(power.shape)
    loud = power > power.max() * 1e-6
    np.testing.assert_allclose(shown[loud], 10 * np.log10(power[loud]))
    assert np.ptp(shown) == pytest.approx(60)  # the dynamic range
    assert frequencies[shown.mean(axis=1).argmax()] == 20
    assert display.ax_.get_xlabel() == "time (s)"
    assert display.ax_.get_ylabel() == "frequency (Hz)"
    assert display.colorbar_.ax.get_ylabel() == "power (dB re 1 mV²/Hz)"


def test_cells_are_centred_at_their_frequency_and_time(tone):
    _, frequencies, times = tone
    display = SpectrogramDisplay(*tone).plot()
    corners = display.mesh_.get_coordinates()
    middle = (corners[:-1, :-1] + corners[1:, 1:]) / 2
    np.testing.assert_allclose(middle[0, :, 0], times)
    np.testing.assert_allclose(middle[:, 0, 1], frequencies, atol=1e-12)


def test_already_in_db():
    decibels = np.array([[-10.0, -20.0], [-90.0, 5.0]])
    display = SpectrogramDisplay(
        decibels, [0, 10], [0.1, 0.2], in_db=True, dynamic_range=40, reference="1"
    ).plot()
    np.testing.assert_array_equal(display.decibels, [[-10, -20], [-35, 5]])
    assert display.colorbar_.ax.get_ylabel() == "power (dB re 1)"


def test_lightness_increases_with_power(tone):
    display = SpectrogramDisplay(*tone).plot()
    colors = mpl.colormaps[display.mesh_.get_cmap().name](np.linspace(0, 1, 50))[:, :3]
    assert (np.diff(colors @ [0.299, 0.587, 0.114]) > 0).all()


def test_from_estimator_shows_the_mean_of_the_beats():
    transformer = Spectrogram(np.array([5.0, 10.0]), np.array([0.1, 0.2, 0.3]))
    X = np.arange(1.0, 13.0).reshape(2, 6)
    display = SpectrogramDisplay.from_estimator(transformer, X)
    np.testing.assert_allclose(display.decibels.ravel(), 10 * np.log10(X.mean(axis=0)))
    np.testing.assert_array_equal(display.frequencies, [5, 10])
    # Input in dB gives the same plot, because power is averaged.
    transformer.log = True
    again = SpectrogramDisplay.from_estimator(transformer, 10 * np.log10(X))
    np.testing.assert_allclose(again.decibels, display.decibels)
    with pytest.raises(AttributeError, match="has no frequencies_ and no times_"):
        SpectrogramDisplay.from_estimator(SimpleNamespace(), X)
    transformer.transform = lambda X: np.ones((2, 5))
    with pytest.raises(ValueError, match=r"returned shape \(2, 5\); expected .* 2 frequencies"):
        SpectrogramDisplay.from_estimator(transformer, X)


def test_draws_on_given_axes(tone):
    figure, axes = plt.subplots(1, 2)
    display = SpectrogramDisplay(*tone).plot(ax=axes[1])
    assert display.ax_ is axes[1]
    assert display.figure_ is figure


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.ones((2, 2)), r"values has shape \(2, 2\); expected \(2, 3\)"),
        (np.full((2, 3), np.nan), "NaN or infinity"),
        (np.full((2, 3), -1.0), "cannot be power. Pass in_db=True"),
        (np.zeros((2, 3)), "from 0 to 0 and cannot be power"),
    ],
)
def test_bad_input(values, message):
    with pytest.raises(ValueError, match=message):
        SpectrogramDisplay(values, [1, 2], [1, 2, 3])
