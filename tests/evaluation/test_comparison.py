"""Tests of compare_models and mcnemar_test."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from ecgclf.evaluation import (
    EC57_METRICS,
    Accuracy,
    MacroF1,
    Sensitivity,
    compare_models,
    mcnemar_test,
    patient_intervals,
)
from ecgclf.evaluation._comparison import holm


def two_models(rng, n_patients=30, n_beats=40, better=0.05):
    """Simulate patients who are difficult or easy for both models."""
    groups = np.repeat(np.arange(n_patients), n_beats)
    skill = rng.beta(4, 2, size=n_patients)[groups]
    y_true = rng.choice(["N", "V"], size=len(groups))
    wrong = np.where(y_true == "N", "V", "N")
    draw = rng.random(len(groups))
    a, b = (np.where(draw < skill + extra, y_true, wrong) for extra in (0, better))
    return y_true, a, b, groups


def compare(y_true, a, b, groups, metrics=None, **settings):
    settings = {"random_state": 0, **settings}
    return compare_models(y_true, {"a": a, "b": b}, groups, metrics, **settings)


def test_interval_of_the_difference_is_narrower():
    y_true, a, b, groups = two_models(np.random.default_rng(0))
    comparison = compare(y_true, b, a, groups, Accuracy())
    models = comparison.estimates.loc["accuracy"]
    single = patient_intervals(y_true, b, groups, Accuracy(), random_state=0).loc["accuracy"]
    assert models.loc["a"].equals(single.rename("a"))
    row = comparison.differences.loc[("accuracy", "a", "b")]
    assert row["difference"] == pytest.approx((b == y_true).mean() - (a == y_true).mean())
    assert 0 < row["low"] < row["difference"] < row["high"]
    assert row["high"] - row["low"] < 0.3 * (single["high"] - single["low"])
    assert row["p_value"] == row["p_holm"] == 2 / 2000  # no draw has the opposite sign


def test_against_scipy():
    y_true, a, b, groups = two_models(np.random.default_rng(1), n_patients=20)
    difference = ((a == y_true).astype(float) - (b == y_true)).reshape(20, -1).mean(axis=1)
    expected = stats.bootstrap(
        (difference,), np.mean, n_resamples=20_000, method="percentile", random_state=1
    ).confidence_interval
    result = compare(y_true, a, b, groups, Accuracy(), n_resamples=20_000).differences
    np.testing.assert_allclose(result[["low", "high"]].to_numpy()[0], expected, atol=0.003)


def test_p_value_agrees_with_the_test_of_means():
    """For equal numbers of beats the difference is a mean over patients: a paired t-test."""
    rng = np.random.default_rng(4)
    groups, y_true = np.repeat(np.arange(60), 40), np.full(2400, "N")
    a, b = (np.where(rng.random(2400) < right, "N", "V") for right in (0.83, 0.8))
    difference = ((a == y_true).astype(float) - (b == y_true)).reshape(60, -1).mean(axis=1)
    expected = stats.ttest_1samp(difference, 0).pvalue
    found = compare(y_true, a, b, groups, Accuracy(), n_resamples=9999).differences["p_value"]
    assert 0.001 < expected < 0.3
    assert found.iloc[0] == pytest.approx(expected, rel=0.5)


def test_swapping_the_models_changes_the_sign():
    y_true, a, b, groups = two_models(np.random.default_rng(2))
    metrics = [Accuracy(), MacroF1(), Sensitivity("V")]
    first = compare(y_true, a, b, groups, metrics).differences
    swapped = compare(y_true, b, a, groups, metrics).differences
    np.testing.assert_allclose(first["difference"], -swapped["difference"])
    np.testing.assert_allclose(first["low"], -swapped["high"], atol=1e-12)
    np.testing.assert_allclose(first["p_value"], swapped["p_value"])
    same = compare(y_true, a, a, groups).differences
    assert (same[["difference", "low", "high"]] == 0).all(axis=None)
    assert (same["p_value"] == 1).all()


def test_several_models_and_runs():
    rng = np.random.default_rng(5)
    y_true, a, b, groups = two_models(rng)
    runs = [two_models(np.random.default_rng(seed))[1] for seed in range(3)]
    comparison = compare_models(
        y_true, {"a": a, "b": b, "runs": runs}, groups, Accuracy(), random_state=0
    )
    estimates = comparison.estimates.loc["accuracy", "estimate"]
    assert estimates["runs"] == pytest.approx(np.mean([run == y_true for run in runs]))
    assert comparison.differences.loc["accuracy"].index.to_list() == [
        ("a", "b"),
        ("a", "runs"),
        ("b", "runs"),
    ]
    alone = compare(y_true, a, b, groups, Accuracy()).differences.iloc[0]
    row = comparison.differences.iloc[0]
    assert row.drop("p_holm").equals(alone.drop("p_holm"))
    assert row["p_holm"] == pytest.approx(3 * row["p_value"])  # the smallest of three


def test_holm_by_hand():
    """The example of S. Holm's method with m = 4: 4 x 0.005, 3 x 0.01, 2 x 0.03, max."""
    found = holm(np.array([0.01, 0.04, 0.03, 0.005]))
    np.testing.assert_allclose(found, [0.03, 0.06, 0.06, 0.02])
    np.testing.assert_allclose(holm(np.array([0.6, 0.9])), [1, 1])


def test_printed_in_80_columns():
    y_true, a, b, groups = two_models(np.random.default_rng(0))
    names = ["convolutional network", "gradient boosting on 82 features", "forest"]
    metrics = [*EC57_METRICS[3:], MacroF1()]
    comparison = compare_models(
        y_true, dict(zip(names, (a, b, a))), groups, metrics, n_resamples=99, random_state=0
    )
    lines = str(comparison).splitlines()
    assert max(map(len, lines)) <= 80
    assert "..." not in str(comparison)
    assert sum(" - " in line for line in lines) == 3 * len(metrics)
    assert "<table" in comparison._repr_html_()


def test_a_class_that_only_one_model_predicts():
    y_true, a, b, groups = two_models(np.random.default_rng(3))
    table = compare(y_true, a, np.where(b == "V", "F", b), groups).estimates["estimate"]
    assert np.isnan(table["F positive predictivity", "a"])
    assert table["V sensitivity", "b"] == 0


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
        row = compare(
            y_true, a, b, groups, Accuracy(), n_resamples=199, random_state=seed
        ).differences.iloc[0]
        covered += row["low"] <= 0 <= row["high"]
    assert certain > 20  # a valid test has about 2
    assert covered > 33


def test_bad_input():
    with pytest.raises(ValueError, match="y_pred_b has 1 entries, but y_true has 2"):
        mcnemar_test(["N", "V"], ["N", "V"], ["N"])
    with pytest.raises(ValueError, match="y_pred has 1 entries"):
        compare(["N", "V"] * 5, ["N", "V"] * 5, ["N"], range(10), Accuracy())
    with pytest.raises(ValueError, match="y_preds holds 1 model; expected at least two"):
        compare_models(["N", "V"], {"a": ["N", "V"]}, [1, 2])
    with pytest.warns(UserWarning, match="only 2 patients"):
        compare(["N", "V"], ["N", "V"], ["N", "V"], [1, 2], Accuracy(), n_resamples=9)
