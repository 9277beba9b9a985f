"""Covering a sample costs what the classifier makes of it."""

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
    """A classifier whose probability of "V" is a weighted sum of the samples."""

    def __init__(self, weights):
        self.weights = weights
        self.classes_ = np.array(["N", "V"])

    def fit(self, X, y):
        return self

    def predict_proba(self, X):
        p = (X * self.weights).reshape(len(X), -1).sum(axis=1)
        return np.column_stack([1 - p, p])


def test_one_sample_at_a_time_gives_the_shares_of_a_sum():
    weights = np.array([0.1, 0.0, -0.05, 0.2])
    X = np.array([[1.0, 1.0, 1.0, 1.0], [0.5, 2.0, 2.0, 1.0]])
    fall = occlusion(Weighted(weights), X, "V", width=1)
    np.testing.assert_allclose(fall, X * weights)
    # Both classes add up to 1, so what speaks for one speaks against the other.
    np.testing.assert_allclose(occlusion(Weighted(weights), X, "N", width=1), -X * weights)
    # These are N beats by their probability, unless told otherwise.
    np.testing.assert_allclose(occlusion(Weighted(weights), X, width=1), -X * weights)
    of_each = occlusion(Weighted(weights), X, ["V", "N"], width=1)
    np.testing.assert_allclose(of_each, X * weights * [[1], [-1]])


def test_mean_over_the_windows_that_cover_a_sample():
    weights, X = np.array([0.1, 0.2, 0.3, 0.1, 0.05]), np.ones((1, 5))
    # Windows 0-1, 1-2, 2-3, 3-4.
    falls = [0.3, 0.5, 0.4, 0.15]
    expected = [falls[0], 0.4, 0.45, 0.275, falls[3]]
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
    fall = occlusion(Weighted(weights), X, "V", width=1, fill=X.mean(axis=0))
    np.testing.assert_allclose(fall, weights * (X - 1.5))


def test_one_lead_at_a_time():
    weights = np.array([[0.1, 0.0, 0.1], [0.0, 0.2, 0.0]])
    X = np.arange(12.0).reshape(2, 2, 3) / 12
    fall = occlusion(Weighted(weights), X, "V", width=1)
    np.testing.assert_allclose(fall, X * weights)


def test_pipeline_and_input_are_left_alone():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 10))
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, X[:, 3] > 0)
    before = X.copy()
    fall = occlusion(model, X[:9], width=3)
    np.testing.assert_array_equal(X, before)
    assert fall.shape == (9, 10)
    assert np.abs(fall).mean(axis=0).argmax() == 3
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
        ({"fill": np.zeros(3)}, r"fill has the shape \(3,\)"),
        ({"target": "S"}, r"target holds \['S'\], which are not among the classes"),
        ({"target": ["N"] * 3}, r"target has the shape \(3,\)"),
    ],
)
def test_bad_input(arguments, message):
    arguments = {"X": np.zeros((2, 4)), "width": 2, **arguments}
    with pytest.raises(ValueError, match=message):
        occlusion(Weighted(np.ones(4)), **arguments)


def test_not_fitted():
    with pytest.raises(NotFittedError):
        occlusion(LogisticRegression(), np.zeros((2, 4)))
