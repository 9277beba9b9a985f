"""Tests of ComparisonDisplay."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from ecgclf.evaluation import Accuracy, Sensitivity, compare_models
from ecgclf.plots import ComparisonDisplay
from ecgclf.plots._predictions import not_different


@pytest.fixture
def comparison():
    rng = np.random.default_rng(0)
    y_true, groups = rng.choice(["N", "V"], size=800), np.arange(800) // 40
    right = {"good": 0.95, "bad": 0.6, "also good": 0.94}
    y_preds = {
        name: np.where(rng.random(800) < share, y_true, "S") for name, share in right.items()
    }
    metrics = [Accuracy(), Sensitivity("V")]
    return compare_models(y_true, y_preds, groups, metrics, random_state=0)


def test_points_and_intervals(comparison):
    display = ComparisonDisplay(comparison).plot()
    assert [ax.get_title() for ax in display.axes_] == ["accuracy", "V sensitivity"]
    for ax in display.axes_:
        table = comparison.estimates.loc[ax.get_title()]
        names = [label.get_text() for label in ax.get_yticklabels()]
        assert names[-1] == "bad"
        shown = table.loc[names]
        np.testing.assert_array_equal(ax.lines[0].get_xdata(), shown["estimate"])
        ends = [segment[:, 0] for segment in ax.collections[0].get_segments()]
        np.testing.assert_array_equal(ends, shown[["low", "high"]])
        assert ax.yaxis.get_inverted()
        assert [sorted(group) for group in display.joined_[ax.get_title()]] == [
            ["also good", "good"]
        ]


def test_given_axes(comparison):
    _, axes = plt.subplots(1, 2)
    assert ComparisonDisplay(comparison).plot(ax=axes).ax_ is axes[0]
    with pytest.raises(ValueError, match="ax holds 1 axes; expected 2: 2 metrics times 1 column"):
        ComparisonDisplay(comparison).plot(ax=axes[0])


def test_overlapping_groups():
    """A and B, and B to D, are alike; A differs from C and D."""
    pairs = pd.MultiIndex.from_tuples(
        [("B", "A"), ("A", "C"), ("A", "D"), ("B", "C"), ("B", "D"), ("D", "C")]
    )
    table = pd.DataFrame({"p_holm": [0.5, 0.01, 0.01, 0.2, 0.3, 0.9]}, index=pairs)
    found = not_different(pd.Index(list("ABCD")), table, 0.05)
    assert found == [slice(0, 2), slice(1, 4)]
    assert not_different(pd.Index(list("AC")), table, 0.05) == []
