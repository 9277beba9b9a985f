"""Tests of ReliabilityDisplay."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.naive_bayes import GaussianNB

from ecgclf.evaluation import expected_calibration_error
from ecgclf.plots import ReliabilityDisplay

CLASSES = np.array(["N", "S", "V"])


@pytest.fixture
def predictions():
    rng = np.random.default_rng(0)
    y_prob = rng.dirichlet([3, 1, 1], size=500)
    y_true = CLASSES[(y_prob.cumsum(axis=1) > rng.random((500, 1))).argmax(axis=1)]
    return y_true, y_prob


@pytest.mark.parametrize("strategy", ["uniform", "quantile"])
def test_curves_of_the_classes(predictions, strategy):
    y_true, y_prob = predictions
    display = ReliabilityDisplay.from_predictions(
        y_true, y_prob, per_class=True, n_bins=8, strategy=strategy
    )
    assert list(display.lines_) == ["N", "S", "V"]
    for i, label in enumerate(CLASSES):
        observed, predicted = calibration_curve(
            y_true == label, y_prob[:, i], n_bins=8, strategy=strategy
        )
        np.testing.assert_allclose(display.lines_[label].get_xdata(), predicted)
        np.testing.assert_allclose(display.lines_[label].get_ydata(), observed)
    looks = {
        (line.get_color(), str(line.get_linestyle()), line.get_marker())
        for line in display.lines_.values()
    }
    assert [len({look[i] for look in looks}) for i in range(3)] == [3, 3, 3]
    kind = {"uniform": "width", "quantile": "size"}[strategy]
    name = f"probability of the class (8 bins of equal {kind})"
    assert display.histogram_ax_.get_xlabel() == name


def test_curve_of_all_classes(predictions):
    y_true, y_prob = predictions
    display = ReliabilityDisplay.from_predictions(y_true, y_prob)
    right = CLASSES[y_prob.argmax(axis=1)] == y_true
    observed, predicted = calibration_curve(right, y_prob.max(axis=1), n_bins=15)
    line = display.lines_["all classes"]
    np.testing.assert_allclose(line.get_data(), [predicted, observed])
    error = expected_calibration_error(y_true, y_prob)
    assert display.errors_ == {"all classes": pytest.approx(error)}
    legend = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert legend == ["calibrated", f"all classes: ECE {error:.3f}"]
    assert display.ax_.get_ylabel() == "fraction predicted correctly"
    name = "probability of the predicted class (15 bins of equal width)"
    assert display.histogram_ax_.get_xlabel() == name
    # The gaps between curve and diagonal, which the error in the legend averages.
    gaps = np.array(display.ax_.collections[0].get_segments())
    np.testing.assert_allclose(gaps[:, 0], np.column_stack([predicted, predicted]))
    np.testing.assert_allclose(gaps[:, 1], np.column_stack([predicted, observed]))


def test_histogram(predictions):
    _, y_prob = predictions
    display = ReliabilityDisplay.from_predictions(*predictions, strategy="quantile")
    (steps,) = display.histogram_ax_.patches
    counts, edges = np.histogram(y_prob.max(axis=1), np.linspace(0, 1, 21))
    np.testing.assert_array_equal(steps.get_data().values, counts)
    np.testing.assert_allclose(steps.get_data().edges, edges)
    assert display.histogram_ax_.get_ylabel() == "beats"


def test_from_estimator_takes_the_classes_from_it():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(90, 2)), np.repeat(CLASSES, 30)
    model = GaussianNB().fit(X, y)
    display = ReliabilityDisplay.from_estimator(model, X[:60], y[:60], n_bins=5)
    error = expected_calibration_error(
        y[:60], model.predict_proba(X[:60]), classes=CLASSES, n_bins=5
    )
    assert display.errors_["all classes"] == pytest.approx(error)


def test_draws_on_given_axes(predictions):
    figure, axes = plt.subplots(2)
    display = ReliabilityDisplay.from_predictions(*predictions, ax=axes)
    assert [display.ax_, display.histogram_ax_] == axes.tolist()
    alone = ReliabilityDisplay.from_predictions(*predictions, ax=axes[0])
    assert alone.histogram_ax_ is None
    assert alone.ax_.get_xlabel().startswith("probability")
    assert alone.figure_ is figure
