"""Reports on scores, against scikit-learn."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import average_precision_score, roc_auc_score

from ecgclf.evaluation import AUPRC, AUROC, compare_models, patient_intervals, recording_report

N = 400
OF_SKLEARN = {"auroc": roc_auc_score, "auprc": average_precision_score}


@pytest.fixture(scope="module")
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture(scope="module")
def groups() -> np.ndarray:
    return np.arange(N) // 3


@pytest.fixture(scope="module")
def labels(rng) -> np.ndarray:
    """Several labels, one of them rare."""
    return (rng.random((N, 3)) < (0.5, 0.3, 0.05)).astype(int)


@pytest.fixture(scope="module")
def scores(rng, labels) -> np.ndarray:
    """Scores with ties."""
    return np.round(labels + rng.normal(size=(N, 3)), 1)


# --- figures -------------------------------------------------------------------------------


def test_several_labels(labels, scores):
    report = recording_report(labels, scores, classes=["NORM", "MI", "HYP"])
    assert report.labels == ("NORM", "MI", "HYP")
    for name, figure in OF_SKLEARN.items():
        expected = [figure(labels[:, i], scores[:, i]) for i in range(3)]
        np.testing.assert_allclose(report.per_class[name], expected, rtol=1e-12)
        assert report.macro[name] == pytest.approx(figure(labels, scores, average="macro"))
    assert report.per_class["recordings"].tolist() == labels.sum(axis=0).tolist()
    assert (report.n_recordings, report.n_patients, report.confidence_level) == (N, None, None)


@pytest.mark.parametrize("form", ["1-D", "2-D"])
def test_two_classes(labels, scores, form):
    y_true = np.array(["healthy", "infarction"])[labels[:, 0]]
    score = scores[:, 0] if form == "1-D" else np.column_stack([-scores[:, 0], scores[:, 0]])
    report = recording_report(y_true, score)
    assert report.labels == ("infarction",)
    assert report.other == "healthy"
    for name, figure in OF_SKLEARN.items():
        expected = figure(labels[:, 0], scores[:, 0])
        assert report.per_class.loc["infarction", name] == pytest.approx(expected)
        assert report.macro[name] == pytest.approx(expected)
    assert f"{N} recordings, 'infarction' against 'healthy'" in str(report)
    # The order of the classes is that of the columns.
    turned = recording_report(y_true, score, classes=["infarction", "healthy"])
    assert turned.labels == ("healthy",)
    assert turned.macro["auroc"] == pytest.approx(1 - report.macro["auroc"])


def test_many_classes(rng, scores):
    y_true = rng.choice(["N", "S", "V"], size=N)
    shifted = scores + (y_true[:, np.newaxis] == np.array(["N", "S", "V"]))
    probability = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)
    report = recording_report(y_true, probability)
    expected = roc_auc_score(y_true, probability, multi_class="ovr", average=None)
    np.testing.assert_allclose(report.per_class["auroc"], expected, rtol=1e-12)
    expected = average_precision_score(y_true, probability, average="macro")
    assert report.macro["auprc"] == pytest.approx(expected)
    # A class without recordings.
    wide = np.column_stack([probability, rng.random(N)])
    report = recording_report(y_true, wide, classes=["N", "S", "V", "X"])
    assert report.per_class["auroc"].isna().tolist() == [False, False, False, True]
    assert report.macro["auprc"] == pytest.approx(expected)


def test_probabilities_of_a_forest(labels, scores):
    forest = RandomForestClassifier(20, random_state=0).fit(scores, labels)
    probability = forest.predict_proba(scores)
    report = recording_report(labels, probability)
    expected = roc_auc_score(labels, np.stack([p[:, 1] for p in probability], axis=1))
    assert report.macro["auroc"] == pytest.approx(expected)
    assert report.labels == (0, 1, 2)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 4), st.integers(0, 3)), min_size=2))
def test_metrics_equal_scikit_learn_for_ties_and_few_samples(rows):
    y_true, y_score, _ = map(np.array, zip(*rows, strict=True))
    for metric, figure in [(AUROC(), roc_auc_score), (AUPRC(), average_precision_score)]:
        if len(set(y_true.tolist())) == 2:
            assert metric(y_true, y_score) == pytest.approx(figure(y_true, y_score))
        else:
            with pytest.raises(ValueError, match="only the class"):
                metric(y_true, y_score)


# --- intervals -----------------------------------------------------------------------------


@pytest.mark.parametrize(("metric", "figure"), [(AUROC, "auroc"), (AUPRC, "auprc")])
def test_intervals_equal_those_of_scikit_learn_on_the_same_draws(
    labels, scores, groups, metric, figure
):
    options = {"n_resamples": 99, "random_state": 1}

    def of_sklearn(y_true, y_score):
        return OF_SKLEARN[figure](y_true, y_score) if 0 < y_true.sum() < len(y_true) else np.nan

    expected = [
        patient_intervals(labels[:, i], scores[:, i], groups, of_sklearn, **options)
        for i in range(3)
    ]
    report = recording_report(labels, scores, groups, **options)
    for i, row in enumerate(expected):
        found = report.per_class.loc[i, [figure, f"{figure}_low", f"{figure}_high"]]
        np.testing.assert_allclose(found, row[["estimate", "low", "high"]].iloc[0], rtol=1e-12)
        fast = patient_intervals(labels, scores, groups, metric(label=i), **options)
        assert fast.index.tolist() == [f"{i} {metric.__name__}"]
        np.testing.assert_allclose(fast, row, rtol=1e-12)
    macro = patient_intervals(labels, scores, groups, metric(), **options).iloc[0]
    found = [report.macro[name] for name in (figure, f"{figure}_low", f"{figure}_high")]
    np.testing.assert_allclose(found, macro[["estimate", "low", "high"]], rtol=1e-12)
    assert report.n_patients == len(np.unique(groups))
    with_label = [len(np.unique(groups[labels[:, i] == 1])) for i in range(3)]
    assert report.per_class["patients"].tolist() == with_label


def test_resampling_in_batches_gives_the_same_intervals(labels, scores, groups, monkeypatch):
    whole = recording_report(labels, scores, groups, n_resamples=50, random_state=0)
    monkeypatch.setattr("ecgclf.evaluation._resampling._N_WEIGHTS", 7 * N)
    parts = recording_report(labels, scores, groups, n_resamples=50, random_state=0)
    pd.testing.assert_frame_equal(whole.per_class, parts.per_class)


def test_comparison_of_two_models(labels, scores, groups, rng):
    better = labels + 0.3 * rng.normal(size=labels.shape)
    comparison = compare_models(
        labels, {"b": better, "a": scores}, groups, [AUROC(), AUPRC(1)], random_state=0
    )
    estimates = comparison.estimates["estimate"]
    assert estimates.index.unique("metric").tolist() == ["AUROC", "1 AUPRC"]
    assert estimates["AUROC", "a"] == pytest.approx(roc_auc_score(labels, scores))
    assert estimates["AUROC", "b"] == pytest.approx(roc_auc_score(labels, better))
    assert (comparison.differences["low"] > 0).all()


def test_intervals_of_a_wider_level_are_wider(labels, scores, groups):
    narrow, wide = (
        recording_report(labels, scores, groups, confidence_level=level, random_state=0).per_class
        for level in (0.5, 0.99)
    )
    assert (wide["auroc_low"] < narrow["auroc_low"]).all()
    assert (wide["auroc_high"] > narrow["auroc_high"]).all()


# --- tables --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def report(labels, scores, groups):
    full = np.column_stack([labels, np.zeros(N, dtype=int)])
    return recording_report(
        full,
        np.column_stack([scores, scores[:, 0]]),
        groups,
        classes=["NORM", "a name of a label that is long", "HYP", "none"],
        n_resamples=99,
        random_state=0,
    )


def test_the_printed_report_fits_in_80_columns(report):
    lines = str(report).splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0] == f"{N} recordings of {report.n_patients} patients, 4 labels"
    row = next(line for line in lines if line.startswith("NORM"))
    of_label = report.per_class.loc["NORM"]
    assert f"{of_label.auroc:.3f} [{of_label.auroc_low:.3f}, {of_label.auroc_high:.3f}]" in row
    assert "a name of a l…" in str(report)
    assert "macro average" in str(report)
    assert "In brackets: 95% intervals over patients" in lines
    assert lines[-1].endswith("undefined: all recordings have the label, or none")
    assert "<table" in report._repr_html_()


def test_to_frame_adds_the_means(report):
    table = report.to_frame()
    pd.testing.assert_frame_equal(table.iloc[:-1], report.per_class, check_names=False)
    assert table.index[-1] == "macro average"
    assert table.loc["macro average", "auroc_low"] == report.macro["auroc_low"]
    assert table.loc["macro average", ["recordings", "patients"]].tolist() == [
        N,
        report.n_patients,
    ]


def test_json_has_null_for_undefined_figures(report, tmp_path):
    text = report.to_json(tmp_path / "report.json")
    found = json.loads((tmp_path / "report.json").read_text())
    assert found == json.loads(text)
    assert found["per_class"][3]["auroc"] is None
    assert found["per_class"][0]["auroc"] == report.per_class.loc["NORM", "auroc"]
    assert found["macro"]["auprc"] == report.macro["auprc"]
    assert found["labels"][0] == "NORM"


# --- invalid input -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("y_true", "y_score", "options", "message"),
    [
        ([[0, 2], [1, 0]], [[0, 1], [1, 0]], {}, "indicator matrix of 0 and 1"),
        ([[0, 1], [1, 0]], [0, 1], {}, r"y_score has the shape \(2,\); expected \(2, 2\)"),
        ([[0, 1], [1, 0]], [[0, np.nan], [1, 0]], {}, "NaN or infinity in 1 of 2"),
        ([[0, 1], [1, 0]], [[0, 1], [1, 0]], {"classes": ["a"]}, "1 names, but y_true has 2"),
        (["a", "b"], [0.1, 0.2, 0.3], {}, "y_score has 3 entries, but y_true has 2"),
        (["a", "b", "c"], [0.1, 0.2, 0.3], {}, "expected one column for each of the 3 classes"),
        (["a", "b"], [0.1, np.inf], {}, "NaN or infinity in 1 of 2"),
        (["a", "b"], [0.1, 0.2], {"classes": ["a", "c"]}, r"y_true holds \['b'\]"),
        (["a", "a"], [0.1, 0.2], {}, "y_true has only the class 'a'"),
        (["a", None], [0.1, 0.2], {}, "no label"),
        (["a", "b"], [0.1, 0.2], {"groups": [1]}, r"groups has the shape \(1,\)"),
        (["a", "b"], [0.1, 0.2], {"groups": [1, 1]}, "at least two"),
    ],
)
def test_invalid_input(y_true, y_score, options, message):
    with pytest.raises(ValueError, match=message):
        recording_report(y_true, y_score, **options)


def test_an_unknown_label_of_a_metric(labels, scores):
    with pytest.raises(ValueError, match=r"AUROC\(label='MI'\): the scores are for \[0, 1, 2\]"):
        AUROC("MI")(labels, scores)


def test_few_patients_give_a_warning(labels, scores):
    with pytest.warns(UserWarning, match="only 5 patients"):
        recording_report(labels, scores, np.arange(N) % 5, n_resamples=9)
