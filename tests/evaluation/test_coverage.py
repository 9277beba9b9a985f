"""The table of how often sets hold the true class."""

from __future__ import annotations

import numpy as np
import pytest

from ecgclf.evaluation import coverage_table


def test_counted_by_hand():
    y_true = ["V", "N", "N", "N", "V"]
    y_set = np.array([[1, 1], [0, 1], [0, 0], [1, 0], [1, 0]], dtype=bool)
    table = coverage_table(y_true, y_set, classes=["V", "N"])
    assert table.index.tolist() == ["N", "V", "all beats"]
    assert table["beats"].tolist() == [3, 2, 5]
    np.testing.assert_allclose(table["coverage"], [1 / 3, 1, 3 / 5])
    np.testing.assert_allclose(table["mean_size"], [2 / 3, 3 / 2, 1])
    np.testing.assert_allclose(table["single"], [2 / 3, 1 / 2, 3 / 5])
    np.testing.assert_allclose(table["empty"], [1 / 3, 0, 1 / 5])


def test_a_class_without_beats_has_no_row():
    table = coverage_table([1, 1], [[True, False], [False, True]], classes=[0, 1])
    assert table.index.tolist() == [1, "all beats"]


@pytest.mark.parametrize(
    ("y_true", "y_set", "message"),
    [
        (["N", "V"], [[True, False]], "y_set has 1 entries"),
        (["N"], [[1, 0]], "dtype int64; expected a boolean column"),
        (["N"], [[True]], r"shape \(1, 1\) .* each of the 2 classes \['N', 'V'\]"),
        (["F"], [[True, False]], r"y_true holds \['F'\]"),
        ([], [], "empty"),
    ],
)
def test_errors(y_true, y_set, message):
    with pytest.raises(ValueError, match=message):
        coverage_table(y_true, y_set, classes=["N", "V"])
