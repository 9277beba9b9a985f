"""Tests of occlusion."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ecgclf.evaluation import occlusion


class Weighted(ClassifierMixin, BaseEstimator):
    """Classifier with the weighted sum of the samples as probability of "V"."""

    def __init__(self, weights):
        self.weights = weights
        self.classes_ = np.array(["N", "V"])

    def fit(self, X, y):
        return self

    def predict_proba(self, X):
        p = (X * self.weights).reshape(len(X), -1).sum(axis=1)
        return np.column_stack([1 - p, p])


def test_windows_of_one_sample():
    weights = np.array([0.1, 0.0, -0.05, 0.2])
    X = np.array([[1.0, 1.0, 1.0, 1.0], [0.5, 2.0, 2.0, 1.0]])
    attributions = occlusion(Weighted(weights), X, "V", width=1)
    np.testing.assert_allclose(attributions, X * weights)
    # Probabilities add up to 1, so evidence for one class is evidence against the other.
    np.testing.assert_allclose(occlusion(Weighted(weights), X, "N", width=1), -X * weights)
    # N is the predicted class, and thus the default.
    np.testing.assert_allclose(occlusion(Weighted(weights), X, width=1), -X * weights)
    of_each = occlusion(Weighted(weights), X, ["V", "N"], width=1)
    np.testing.assert_allclose(of_each, X * weights * [[1], [-1]])


def test_mean_over_windows():
    weights, X = np.array([0.1, 0.2, 0.3, 0.1, 0.05]), np.ones((1, 5))
    # Windows 0-1, 1-2, 2-3, 3-4.
    decreases = [0.3, 0.5, 0.4, 0.15]
    expected = [decreases[0], 0.4, 0.45, 0.275, decreases[3]]
    np.testing.assert_allclose(
        occlusion(Weighted(weights), X, "V", width=2, stride=1)[0], expected
    )
    # Windows 0-1, 2-3, and the last one, which ends with the beat: 3-4.
    expected = [0.3, 0.3, 0.4, (0.4 + 0.15) / 2, 0.15]
    np.testing.assert_allclose(
        occlusion(Weighted(weights), X, "V", width=2, stride=2)[0], expected
    )


def test_fill():
    weights, X = np.array([0.1, 0.2]), np.array([[1.0, 2.0], [2.0, 1.0]])
    attributions = occlusion(Weighted(weights), X, "V", width=1, fill=X.mean(axis=0))
    np.testing.assert_allclose(attributions, weights * (X - 1.5))


def test_one_lead_at_a_time():
    weights = np.array([[0.1, 0.0, 0.1], [0.0, 0.2, 0.0]])
    X = np.arange(12.0).reshape(2, 2, 3) / 12
    attributions = occlusion(Weighted(weights), X, "V", width=1)
    np.testing.assert_allclose(attributions, X * weights)


def test_pipeline_and_unchanged_input():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 10))
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, X[:, 3] > 0)
    before = X.copy()
    attributions = occlusion(model, X[:9], width=3)
    np.testing.assert_array_equal(X, before)
    assert attributions.shape == (9, 10)
    assert np.abs(attributions).mean(axis=0).argmax() == 3
    np.testing.assert_allclose(
        occlusion(model, np.ones((1, 10), int), width=3),
        occlusion(model, np.ones((1, 10)), width=3),
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"X": np.zeros(4)}, r"got \(4,\)"),
        ({"width": 0}, "expected 1 <= stride <= width <= 4"),
        ({"width": 5}, "width=5 and stride=2"),
        ({"width": 2, "stride": 3}, "width=2 and stride=3"),
        ({"fill": np.zeros(3)}, r"fill has shape \(3,\)"),
        ({"target": "S"}, r"target holds \['S'\], which are not among the classes"),
        ({"target": ["N"] * 3}, r"target has shape \(3,\)"),
    ],
)
def test_bad_input(arguments, message):
    arguments = {"X": np.zeros((2, 4)), "width": 2, **arguments}
    with pytest.raises(ValueError, match=message):
        occlusion(Weighted(np.ones(4)), **arguments)


def test_not_fitted():
    with pytest.raises(NotFittedError):
        occlusion(LogisticRegression(), np.zeros((2, 4)))
