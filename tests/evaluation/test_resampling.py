"""Tests of patient_intervals, figures_without and the count metrics."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics

from ecgclf.evaluation import (
    F1,
    Accuracy,
    MacroF1,
    PositivePredictivity,
    Sensitivity,
    figures_without,
    patient_intervals,
)


def study(rng, n_patients=40, n_beats=30, labels="NSV"):
    """Simulate patients who differ in the accuracy of their beats, with mean 0.8."""
    groups = np.repeat(np.arange(n_patients), n_beats)
    y_true = rng.choice(list(labels), size=len(groups))
    right = rng.random(len(groups)) < rng.beta(4, 1, size=n_patients)[groups]
    other = rng.choice(list("FQ"), size=len(groups))
    return y_true, np.where(right, y_true, other), groups


@pytest.fixture
def beats():
    return study(np.random.default_rng(0))


def test_coverage_of_intervals():
    """The 95% interval over patients has about nominal coverage, that over beats does not."""
    n_studies = 150
    covered = {"patients": 0, "beats": 0}
    for seed in range(n_studies):
        y_true, y_pred, groups = study(np.random.default_rng(seed))
        for name, unit in (("patients", groups), ("beats", np.arange(len(groups)))):
            interval = patient_intervals(
                y_true, y_pred, unit, Accuracy(), n_resamples=199, random_state=seed
            ).loc["accuracy"]
            covered[name] += interval["low"] <= 0.8 <= interval["high"]
    # Coverage 0.93 has a standard error of 0.02 here.
    assert 0.87 <= covered["patients"] / n_studies <= 0.99
    assert covered["beats"] / n_studies < 0.7


@pytest.mark.parametrize("method", ["percentile", "BCa"])
def test_against_scipy_on_means_of_patients(method):
    """With equal numbers of beats, the accuracy is the mean of the patients."""
    y_true, y_pred, groups = study(np.random.default_rng(1), n_patients=25)
    by_patient = (y_true == y_pred).reshape(25, -1).mean(axis=1)
    expected = stats.bootstrap(
        (by_patient,), np.mean, n_resamples=20_000, method=method, random_state=1
    ).confidence_interval
    result = patient_intervals(
        y_true, y_pred, groups, Accuracy(), n_resamples=20_000, method=method, random_state=2
    ).loc["accuracy"]
    np.testing.assert_allclose([result["low"], result["high"]], expected, atol=0.005)
    assert result["estimate"] == pytest.approx(by_patient.mean())


SKLEARN = {
    Accuracy(): metrics.accuracy_score,
    MacroF1(): lambda t, p: metrics.f1_score(t, p, average="macro"),
    Sensitivity("S"): lambda t, p: metrics.recall_score(
        t, p, labels=["S"], average="macro", zero_division=np.nan
    ),
    PositivePredictivity("S"): lambda t, p: metrics.precision_score(
        t, p, labels=["S"], average="macro", zero_division=np.nan
    ),
    F1("S"): lambda t, p: metrics.f1_score(
        t, p, labels=["S"], average="macro", zero_division=np.nan
    ),
}


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.tuples(st.sampled_from("NSV"), st.sampled_from("NSVF")), min_size=1, max_size=20)
)
def test_metrics_agree_with_sklearn(pairs):
    y_true, y_pred = map(list, zip(*pairs))
    for metric, expected in SKLEARN.items():
        if "S" not in {*y_true, *y_pred} and "S" in repr(metric):
            with pytest.raises(ValueError, match="is undefined: no beat is of class 'S'"):
                metric(y_true, y_pred)
        else:
            assert metric(y_true, y_pred) == pytest.approx(expected(y_true, y_pred), nan_ok=True)


@pytest.mark.parametrize("metric", SKLEARN)
def test_count_metrics_equal_metrics_of_beats(metric, beats):
    """The same draws, with confusion matrices and with functions of the beats."""
    settings = {"n_resamples": 99, "random_state": 3}
    fast = patient_intervals(*beats, metric, **settings)
    slow = patient_intervals(*beats, {str(metric): SKLEARN[metric]}, **settings)
    np.testing.assert_allclose(fast, slow)
    assert fast.index.tolist() == [str(metric)]


def test_metrics_of_scores(beats):
    y_true, _, groups = beats
    rng = np.random.default_rng(0)
    score = (y_true == "V") + rng.normal(size=len(y_true))
    interval = patient_intervals(
        y_true == "V", score, groups, metrics.roc_auc_score, n_resamples=99, random_state=0
    ).loc["roc_auc_score"]
    assert interval["low"] < stats.norm.cdf(1 / np.sqrt(2)) < interval["high"]


def test_default_metrics_and_equal_draws(beats):
    table = patient_intervals(*beats, random_state=0, n_resamples=199)
    assert table.index[:4].tolist() == [
        "accuracy",
        "macro F1",
        "N sensitivity",
        "N positive predictivity",
    ]
    alone = patient_intervals(*beats, MacroF1(), random_state=0, n_resamples=199)
    assert alone.loc["macro F1"].equals(table.loc["macro F1"])
    known = table.loc[["N sensitivity", "accuracy"]]
    assert (known["low"] < known["estimate"]).all()
    assert (known["estimate"] < known["high"]).all()


def test_random_state(beats):
    np.random.seed(0)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    first, second, *states = (
        patient_intervals(*beats, Accuracy(), random_state=seed, n_resamples=99)
        for seed in (7, 7, np.random.RandomState(7), np.random.RandomState(7))
    )
    patient_intervals(*beats, Accuracy(), n_resamples=99)
    assert first.equals(second)
    assert states[0].equals(states[1])
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002


def test_class_of_few_patients_is_sometimes_undefined():
    groups = np.repeat(np.arange(10), 4)
    y_true = np.where(groups == 3, "S", "N")
    row = patient_intervals(y_true, y_true, groups, Sensitivity("S"), random_state=0).iloc[0]
    # A patient is in a draw of ten out of ten patients with probability 1 - 0.9**10.
    assert row["defined"] == pytest.approx(1 - 0.9**10, abs=0.03)
    assert row[["estimate", "low", "high"]].tolist() == [1, 1, 1]


def test_patients_as_strings_and_frames(beats):
    y_true, y_pred, groups = beats
    named = np.array([f"p{g:02d}" for g in groups])
    settings = {"metrics": Accuracy(), "n_resamples": 99, "random_state": 0}
    mixed = np.random.default_rng(0).permutation(len(groups))
    np.testing.assert_allclose(
        patient_intervals(list(y_true), list(y_pred), list(named), **settings),
        patient_intervals(y_true[mixed], y_pred[mixed], groups[mixed], **settings),
    )


def test_figures_without(beats):
    y_true, y_pred, groups = beats
    table = figures_without(y_true, y_pred, groups, [3, 5])
    out = np.isin(groups, [3, 5])
    for column, rows in (("all", slice(None)), ("without", ~out), ("alone", out)):
        assert table.loc["accuracy", column] == (y_true == y_pred)[rows].mean()
        assert table.loc["macro F1", column] == pytest.approx(
            metrics.f1_score(y_true[rows], y_pred[rows], average="macro")
        )
    few = figures_without(list("NNV"), list("NNV"), list("aab"), ["b"], Sensitivity("V"))
    assert few.iloc[0].isna().tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("leave_out", "message"),
    [
        ("232", r"leave_out is '232'; expected a list such as \['232'\]"),
        ([99], r"leave_out names \[99\], which groups lacks"),
        ([], "names 0 of 40 records"),
        (range(40), "names 40 of 40 records"),
    ],
)
def test_bad_leave_out(leave_out, message, beats):
    with pytest.raises(ValueError, match=message):
        figures_without(*beats, leave_out)


def test_bad_input(beats):
    y_true, y_pred, groups = beats
    with pytest.raises(ValueError, match="groups holds 1 patient"):
        patient_intervals(y_true, y_pred, np.zeros(len(y_true)))
    with pytest.raises(ValueError, match="y_pred has 5 entries, but groups has 1200"):
        patient_intervals(y_true, y_pred[:5], groups)
    with pytest.raises(ValueError, match="groups contains missing values: the patient of"):
        patient_intervals(y_true, y_pred, np.where(groups == 0, np.nan, groups))
    with pytest.raises(ValueError, match="distinct names"):
        patient_intervals(y_true, y_pred, groups, [Accuracy(), Accuracy()])
    with pytest.warns(UserWarning, match="only 5 patients"):
        patient_intervals(y_true, y_pred, groups % 5, Accuracy(), n_resamples=9)
