"""Tests of ConfusionDisplay."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from sklearn.neighbors import KNeighborsClassifier

from ecgclf.evaluation import beat_report
from ecgclf.plots import ConfusionDisplay

Y_TRUE = list("NNNNNNNN" + "VVVV" + "S")
Y_PRED = list("NNNNNNVS" + "VVVN" + "N")


def cells(display):
    return [[text.get_text() for text in row] for row in display.text_]


def test_counts_and_fractions():
    display = ConfusionDisplay.from_predictions(Y_TRUE, Y_PRED)
    np.testing.assert_array_equal(display.confusion_matrix, [[6, 1, 1], [1, 0, 0], [1, 0, 3]])
    assert display.display_labels == ["N", "S", "V"]
    assert cells(display) == [
        ["6\n75.0%", "1\n12.5%", "1\n12.5%"],
        ["1\n100.0%", "0\n0.0%", "0\n0.0%"],
        ["1\n25.0%", "0\n0.0%", "3\n75.0%"],
    ]
    # The first row of the matrix is at the top, for the texts as for the image.
    assert display.ax_.yaxis_inverted()
    assert display.text_[0, 2].get_position() == (2, 0)
    np.testing.assert_allclose(display.im_.get_array()[0], [6 / 8, 1 / 8, 1 / 8])
    assert display.im_.get_clim() == (0, 1)
    assert [label.get_text() for label in display.ax_.get_yticklabels()] == list("NSV")
    assert display.ax_.get_ylabel() == "true class"
    assert display.ax_.get_xlabel() == "predicted class"


def luminance(color):
    """Compute the relative luminance after WCAG 2.1."""
    rgb = np.asarray(to_rgb(color))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


@pytest.mark.parametrize("cmap", ["Blues", "Greys", "viridis"])
def test_text_is_readable_on_its_cell(cmap):
    counts = [[3 * i, 60 - 3 * i] for i in range(21)]
    display = ConfusionDisplay(np.pad(counts, ((0, 0), (0, 19))), cmap=cmap).plot()
    for share, text in zip(display.im_.get_array().ravel(), display.text_.ravel()):
        cell = luminance(display.im_.cmap(float(share)))
        pair = sorted([cell, luminance(text.get_color())])
        # WCAG requires a contrast of at least 3 for large text and graphics.
        assert (pair[1] + 0.05) / (pair[0] + 0.05) > 3


def test_class_without_beats_has_no_fractions():
    display = ConfusionDisplay.from_predictions(["N", "N"], ["N", "V"], labels=["V", "N"])
    assert cells(display) == [["0", "0"], ["1\n50.0%", "1\n50.0%"]]
    dark_at_zero = ConfusionDisplay(display.confusion_matrix, cmap="viridis").plot()
    assert {text.get_color() for text in dark_at_zero.text_[0]} == {"black"}


def test_from_report_and_estimator():
    report = beat_report(Y_TRUE, Y_PRED)
    shown = ConfusionDisplay(report.confusion_matrix, display_labels=report.labels).plot()
    assert cells(shown) == cells(ConfusionDisplay.from_predictions(Y_TRUE, Y_PRED))
    X = np.arange(len(Y_TRUE))[:, None]
    model = KNeighborsClassifier(1).fit(X, Y_PRED)
    assert cells(ConfusionDisplay.from_estimator(model, X, Y_TRUE)) == cells(shown)


def test_draws_on_given_axes():
    figure, axes = plt.subplots(1, 2)
    display = ConfusionDisplay(np.eye(2, dtype=int), cmap="Greys").plot(ax=axes[0])
    assert display.ax_ is axes[0]
    assert display.figure_ is figure
    assert display.im_.get_cmap().name == "Greys"
    assert plt.get_fignums() == [figure.number]


def test_bad_input():
    with pytest.raises(ValueError, match=r"labels \['N'\] lacks \['S', 'V'\]"):
        ConfusionDisplay.from_predictions(Y_TRUE, Y_PRED, labels=["N"])
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        ConfusionDisplay.from_predictions(Y_TRUE, Y_PRED[1:])
    with pytest.raises(ValueError, match=r"got \(2, 3\)"):
        ConfusionDisplay(np.ones((2, 3)))
    with pytest.raises(ValueError, match="display_labels has 1 entries; expected 2"):
        ConfusionDisplay(np.eye(2, dtype=int), display_labels=["N"])
