"""Tests of ReconstructionDisplay."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA

from ecgclf import ECGAutoencoder
from ecgclf.plots import ReconstructionDisplay


def test_panels():
    X = np.arange(40.0).reshape(2, 2, 10)
    back = X + np.array([0.1, 0.5])[:, None, None]
    display = ReconstructionDisplay(X, back, ["N", "V"], fs=100, lead_names=["I", "II"]).plot()
    for (lead, beat), panel in np.ndenumerate(display.axes_):
        beat_line, again = panel.lines
        np.testing.assert_array_equal(beat_line.get_ydata(), X[beat, lead])
        np.testing.assert_array_equal(again.get_ydata(), back[beat, lead])
        assert beat_line.get_linestyle() != again.get_linestyle()
        corners = panel.collections[0].get_paths()[0].vertices
        heights = pd.DataFrame(corners).groupby(0)[1].agg(["min", "max"])
        np.testing.assert_allclose(heights["min"], X[beat, lead])
        np.testing.assert_allclose(heights["max"], back[beat, lead])
    titles = [panel.get_title() for panel in display.axes_[0]]
    assert titles == ["N, score −0.01 mV²", "V, score −0.25 mV²"]  # noqa: RUF001
    assert display.axes_[1, 0].get_ylabel() == "II, amplitude (mV)"
    assert display.axes_[1, 1].get_xlabel() == "time (s)"
    legend = [text.get_text() for text in display.figure_.legends[0].get_texts()]
    assert legend == ["beat", "reconstruction", "error"]


@pytest.mark.parametrize("in_3d", [False, True])
def test_autoencoder_of_two_leads(in_3d):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 2, 24)).astype(np.float32)
    X = X if in_3d else X.reshape(40, -1)
    model = ECGAutoencoder(kind="dense", n_leads=2, max_epochs=1, random_state=0, verbose=0)
    model.fit(X)
    display = ReconstructionDisplay.from_estimator(model, X[:3], fs=100, unit="scaled")
    np.testing.assert_array_equal(display.axes_[1, 2].lines[0].get_ydata(), X[2].ravel()[24:])
    titles = [panel.get_title() for panel in display.axes_[0]]
    scores = [f"score −{-s:.2g}" for s in model.score_samples(X[:3])]  # noqa: RUF001
    assert titles == scores


def test_any_estimator_with_inverse_transform():
    X = np.random.default_rng(0).normal(size=(30, 8))
    display = ReconstructionDisplay.from_estimator(PCA(8).fit(X), X[:1], fs=100)
    np.testing.assert_allclose(display.ax_.lines[1].get_ydata(), X[0])


def test_draws_on_given_axes():
    _, axes = plt.subplots(2)
    X = np.zeros((2, 10))
    display = ReconstructionDisplay(X, X, fs=100).plot(ax=axes)
    assert display.axes_.ravel().tolist() == axes.tolist()


@pytest.mark.parametrize(
    ("X", "back", "y", "message"),
    [
        ((2, 10), (2, 9), None, r"shape \(2, 10\) and reconstructed \(2, 9\)"),
        ((0, 10), (0, 10), None, "at least one beat"),
        ((2, 10), (2, 10), ["N"], "y has 1 labels; expected 2"),
        ((10,), (10,), None, r"X must be of shape .* got \(10,\)"),
    ],
)
def test_bad_input(X, back, y, message):
    with pytest.raises(ValueError, match=message):
        ReconstructionDisplay(np.zeros(X), np.zeros(back), y, fs=100)
