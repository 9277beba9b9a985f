"""Tests of compare_models and mcnemar_test."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from ecgclf.evaluation import (
    Accuracy,
    MacroF1,
    Sensitivity,
    compare_models,
    mcnemar_test,
    patient_intervals,
)


def two_models(rng, n_patients=30, n_beats=40, better=0.05):
    """Simulate patients who are difficult or easy for both models."""
    groups = np.repeat(np.arange(n_patients), n_beats)
    skill = rng.beta(4, 2, size=n_patients)[groups]
    y_true = rng.choice(["N", "V"], size=len(groups))
    wrong = np.where(y_true == "N", "V", "N")
    draw = rng.random(len(groups))
    a, b = (np.where(draw < skill + extra, y_true, wrong) for extra in (0, better))
    return y_true, a, b, groups


def test_interval_of_the_difference_is_narrower():
    y_true, a, b, groups = two_models(np.random.default_rng(0))
    row = compare_models(y_true, a, b, groups, Accuracy(), random_state=0).loc["accuracy"]
    assert row["a"] == (a == y_true).mean()
    assert row["difference"] == pytest.approx(row["b"] - row["a"])
    assert 0 < row["low"] < row["difference"] < row["high"]
    single = patient_intervals(y_true, a, groups, Accuracy(), random_state=0).loc["accuracy"]
    assert row["high"] - row["low"] < 0.3 * (single["high"] - single["low"])


@pytest.mark.parametrize("method", ["percentile", "BCa"])
def test_against_scipy(method):
    y_true, a, b, groups = two_models(np.random.default_rng(1), n_patients=20)
    difference = ((b == y_true).astype(float) - (a == y_true)).reshape(20, -1).mean(axis=1)
    expected = stats.bootstrap(
        (difference,), np.mean, n_resamples=20_000, method=method, random_state=1
    ).confidence_interval
    result = compare_models(
        y_true, a, b, groups, Accuracy(), n_resamples=20_000, method=method, random_state=5
    )
    np.testing.assert_allclose(result[["low", "high"]].to_numpy()[0], expected, atol=0.003)


def test_swapping_the_models_changes_the_sign():
    y_true, a, b, groups = two_models(np.random.default_rng(2))
    metrics = [Accuracy(), MacroF1(), Sensitivity("V")]
    first = compare_models(y_true, a, b, groups, metrics, random_state=0)
    swapped = compare_models(y_true, b, a, groups, metrics, random_state=0)
    np.testing.assert_allclose(first["difference"], -swapped["difference"])
    np.testing.assert_allclose(first["low"], -swapped["high"], atol=1e-12)
    same = compare_models(y_true, a, a, groups, random_state=0)
    assert (same[["difference", "low", "high"]] == 0).all(axis=None)


def test_a_class_that_only_one_model_predicts():
    y_true, a, b, groups = two_models(np.random.default_rng(3))
    table = compare_models(y_true, a, np.where(b == "V", "F", b), groups, random_state=0)
    assert "F positive predictivity" in table.index
    assert table.loc["V sensitivity", "b"] == 0


def test_mcnemar_by_hand():
    y_true = np.full(100, "N")
    a, b = y_true.copy(), y_true.copy()
    a[:4], b[2:20] = "V", "V"  # 2 beats wrong in both, 2 in a alone, 16 in b alone
    result = mcnemar_test(y_true, a, b)
    assert (result.only_a, result.only_b) == (16, 2)
    # Twice the chance of at most 2 heads in 18 throws: 1 + 18 + 153 of 2**18.
    assert result.pvalue == pytest.approx(2 * 172 / 2**18)
    assert mcnemar_test(y_true, b, a).pvalue == pytest.approx(result.pvalue)
    assert mcnemar_test(y_true, a, a) == (0, 0, 1.0)


def test_mcnemar_overestimates_significance():
    """Two models of equal accuracy each fail on all beats of some patients."""
    certain, covered = 0, 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        groups = np.repeat(np.arange(30), 40)
        y_true = np.full(len(groups), "N")
        a, b = (np.where(rng.random(30)[groups] < 0.3, "V", "N") for _ in range(2))
        certain += mcnemar_test(y_true, a, b).pvalue < 0.05
        row = compare_models(
            y_true, a, b, groups, Accuracy(), n_resamples=199, random_state=seed
        ).iloc[0]
        covered += row["low"] <= 0 <= row["high"]
    assert certain > 20  # a valid test has about 2
    assert covered > 33


def test_bad_input():
    with pytest.raises(ValueError, match="y_pred_b has 1 entries, but y_true has 2"):
        mcnemar_test(["N", "V"], ["N", "V"], ["N"])
    with pytest.raises(ValueError, match="y_pred has 1 entries"):
        compare_models(["N", "V"] * 5, ["N", "V"] * 5, ["N"], range(10), Accuracy())
    with pytest.warns(UserWarning, match="only 2 patients"):
        compare_models(["N", "V"], ["N", "V"], ["N", "V"], [1, 2], Accuracy(), n_resamples=9)
