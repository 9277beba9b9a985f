"""Tests of reliability_table, expected_calibration_error and coverage_table."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve

from ecgclf.evaluation import coverage_table, expected_calibration_error, reliability_table

# Confidences 0.9 (correct), 0.8 (wrong), 0.8 (correct), 0.6 (wrong).
Y_TRUE = ["N", "V", "V", "N"]
Y_PROB = [[0.9, 0.1], [0.8, 0.2], [0.2, 0.8], [0.4, 0.6]]


def test_by_hand():
    table = reliability_table(Y_TRUE, Y_PROB, n_bins=4)
    assert table["low"].tolist() == [0, 0.25, 0.5, 0.75]
    assert table["high"].tolist() == [0.25, 0.5, 0.75, 1]
    assert table["count"].tolist() == [0, 0, 1, 3]
    np.testing.assert_allclose(table["predicted"], [np.nan, np.nan, 0.6, 2.5 / 3])
    np.testing.assert_allclose(table["observed"], [np.nan, np.nan, 0, 2 / 3])
    # 1/4 |0 - 0.6| + 3/4 |2/3 - 2.5/3| = 0.15 + 0.125
    assert expected_calibration_error(Y_TRUE, Y_PROB, n_bins=4) == pytest.approx(0.275)


def test_one_class_by_hand():
    # Probabilities of V: 0.1, 0.2 (true), 0.8 (true), 0.6; two bins of two beats each.
    table = reliability_table(Y_TRUE, Y_PROB, label="V", n_bins=2)
    np.testing.assert_allclose(table["predicted"], [0.15, 0.7])
    np.testing.assert_allclose(table["observed"], [0.5, 0.5])
    error = expected_calibration_error(Y_TRUE, Y_PROB, label="V", n_bins=2)
    assert error == pytest.approx(0.5 * 0.35 + 0.5 * 0.2)
    of_second = [p[1] for p in Y_PROB]
    assert expected_calibration_error(Y_TRUE, of_second, label="V", n_bins=2) == error


def test_an_edge_belongs_to_the_bin_below():
    y_prob = [[0.5, 0.5], [0.5, 0.5], [0.0, 1.0]]
    table = reliability_table(["N", "N", "V"], y_prob, n_bins=2)
    assert table["count"].tolist() == [2, 1]


def test_extremes():
    certain = np.eye(2)[[0, 0, 1]]
    assert expected_calibration_error(["N", "N", "V"], certain) == 0
    assert expected_calibration_error(["V", "V", "N"], certain) == 1


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 1000),
    n_bins=st.integers(1, 20),
    strategy=st.sampled_from(["uniform", "quantile"]),
)
def test_against_scikit_learn(seed, n_bins, strategy):
    rng = np.random.default_rng(seed)
    y_prob = rng.dirichlet([2, 1, 1], size=60)
    y_true = rng.integers(3, size=60)
    y_true[:3] = range(3)
    options = {"n_bins": n_bins, "strategy": strategy}
    table = reliability_table(y_true, y_prob, label=1, **options)
    assert table["count"].sum() == 60
    used = table[table["count"] > 0]
    observed, predicted = calibration_curve(y_true == 1, y_prob[:, 1], **options)
    np.testing.assert_allclose(used["observed"], observed)
    np.testing.assert_allclose(used["predicted"], predicted)
    assert ((used["low"] <= used["predicted"]) & (used["predicted"] <= used["high"])).all()


def test_equal_probabilities_share_a_bin():
    y_prob = np.tile([0.7, 0.3], (10, 1))
    y_true = ["N"] * 6 + ["V"] * 4
    table = reliability_table(y_true, y_prob, strategy="quantile", n_bins=5)
    assert table["count"].tolist() == [10]
    assert expected_calibration_error(y_true, y_prob, strategy="quantile") == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"y_prob": Y_PROB[1:]}, "y_prob has 3 entries, but y_true has 4"),
        ({"y_prob": np.full((4, 3), 1 / 3)}, r"y_prob has shape \(4, 3\); expected one column"),
        ({"y_prob": np.array(Y_PROB) * 3}, "between 0 and 1; got values from 0.3 to 2.7"),
        ({"y_prob": np.full((4, 2), np.nan)}, "y_prob holds NaN or infinity in 4 of 4 rows"),
        ({"classes": ["N", "S"]}, r"y_true holds \['V'\], which classes \['N', 'S'\] lacks"),
        ({"label": "S"}, r"label 'S' is not among the classes \['N', 'V'\]"),
        ({"n_bins": 0}, "n_bins must be an integer >= 1; got 0"),
        ({"strategy": "equal"}, "expected 'uniform' or 'quantile'"),
        ({"y_true": []}, "y_true is empty"),
    ],
)
def test_bad_input(changes, message):
    arguments = {"y_true": Y_TRUE, "y_prob": Y_PROB, **changes}
    with pytest.raises(ValueError, match=message):
        expected_calibration_error(**arguments)


def test_coverage_by_hand():
    y_true = ["V", "N", "N", "N", "V"]
    y_set = np.array([[1, 1], [0, 1], [0, 0], [1, 0], [1, 0]], dtype=bool)
    table = coverage_table(y_true, y_set, classes=["V", "N"])
    assert table.index.tolist() == ["N", "V", "all beats"]
    assert table["beats"].tolist() == [3, 2, 5]
    np.testing.assert_allclose(table["coverage"], [1 / 3, 1, 3 / 5])
    np.testing.assert_allclose(table["mean_size"], [2 / 3, 3 / 2, 1])
    np.testing.assert_allclose(table["single"], [2 / 3, 1 / 2, 3 / 5])
    np.testing.assert_allclose(table["empty"], [1 / 3, 0, 1 / 5])


def test_coverage_without_beats_of_a_class():
    table = coverage_table([1, 1], [[True, False], [False, True]], classes=[0, 1])
    assert table.index.tolist() == [1, "all beats"]


@pytest.mark.parametrize(
    ("y_true", "y_set", "message"),
    [
        (["N", "V"], [[True, False]], r"shape \(1, 2\) .* a row for each of the 2 beats"),
        (["N"], [[1, 0]], "dtype int64; expected .* a boolean column"),
        (["N"], [[True]], r"shape \(1, 1\) .* each of the classes \['N', 'V'\]"),
        (["F"], [[True, False]], r"y_true holds \['F'\]"),
        ([], [], "empty"),
    ],
)
def test_coverage_bad_input(y_true, y_set, message):
    with pytest.raises(ValueError, match=message):
        coverage_table(y_true, y_set, classes=["N", "V"])
