"""Tests of beat_report."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from ecgclf.evaluation import beat_report

# Rows: true N, S, V, F; columns: predicted N, S, V, F. F is never predicted.
CONFUSION = np.array([[90, 2, 8, 0], [5, 3, 2, 0], [1, 0, 19, 0], [3, 0, 1, 0]])


def beats_of(confusion, labels):
    """Make true and predicted labels with this confusion matrix."""
    true, pred = np.indices(confusion.shape).reshape(2, -1)
    repeats = confusion.ravel()
    labels = np.asarray(labels)
    return labels[np.repeat(true, repeats)], labels[np.repeat(pred, repeats)]


@pytest.fixture
def report():
    return beat_report(*beats_of(CONFUSION, list("NSVF")))


def test_hand_computed(report):
    assert report.labels == ("N", "S", "V", "F")
    np.testing.assert_array_equal(report.confusion_matrix, CONFUSION)
    table = report.per_class
    np.testing.assert_array_equal(table["support"], [100, 10, 20, 4])
    np.testing.assert_allclose(table["sensitivity"], [0.9, 0.3, 0.95, 0])
    np.testing.assert_allclose(table["positive_predictivity"], [90 / 99, 3 / 5, 19 / 30, np.nan])
    f1 = [180 / 199, 6 / 15, 38 / 50, 0]
    np.testing.assert_allclose(table["f1"], f1)
    assert report.n_beats == 134
    assert report.accuracy == pytest.approx(112 / 134)
    assert report.balanced_accuracy == pytest.approx((0.9 + 0.3 + 0.95 + 0) / 4)
    assert report.macro_f1 == pytest.approx(sum(f1) / 4)
    assert report.weighted_f1 == pytest.approx(np.dot(f1, [100, 10, 20, 4]) / 134)
    assert set(report.overall) == {
        "accuracy",
        "balanced_accuracy",
        "macro_f1",
        "weighted_f1",
    }


def test_frame_has_classes_then_averages(report):
    frame = report.to_frame()
    assert frame.index.tolist() == [
        *"NSVF",
        "accuracy",
        "macro average",
        "weighted average",
    ]
    assert frame.loc["accuracy", "f1"] == report.accuracy
    assert frame.loc["macro average", "sensitivity"] == report.balanced_accuracy
    assert frame.loc["macro average", "f1"] == report.macro_f1
    assert frame.loc["weighted average", "f1"] == report.weighted_f1
    # F was never predicted, so the average predictivity is undefined.
    assert np.isnan(frame.loc["macro average", "positive_predictivity"])
    assert frame["support"].dtype.kind == "i"

    full = beat_report(*beats_of(CONFUSION[:3, :3], list("NSV"))).to_frame()
    predictivity = [90 / 96, 3 / 5, 19 / 29]
    assert full.loc["macro average", "positive_predictivity"] == pytest.approx(
        np.mean(predictivity)
    )
    assert full.loc["weighted average", "positive_predictivity"] == pytest.approx(
        np.dot(predictivity, [100, 10, 20]) / 130
    )


@pytest.mark.parametrize(
    ("present", "expected"),
    [
        (["V", "N", "Q", "S", "F"], ("N", "S", "V", "F", "Q")),
        (["V", "N"], ("N", "V")),
        (["V", "A", "N"], ("A", "N", "V")),
        ([3, 1, 0], (0, 1, 3)),
        ([True, False], (False, True)),
    ],
)
def test_order_of_classes(present, expected):
    report = beat_report(present, present)
    assert report.labels == expected
    assert report.per_class.index.tolist() == list(expected)
    assert report.accuracy == 1


def test_labels_set_the_order_and_may_add_classes():
    y_true, y_pred = beats_of(CONFUSION, list("NSVF"))
    report = beat_report(y_true, y_pred, labels=["Q", "F", "V", "S", "N"])
    assert report.labels == ("Q", "F", "V", "S", "N")
    assert report.per_class.loc["Q"].isna().tolist() == [True, True, True, False]
    assert report.per_class.loc["Q", "support"] == 0
    assert report.macro_f1 == beat_report(y_true, y_pred).macro_f1
    with pytest.raises(ValueError, match=r"labels \['N', 'S'\] lacks \['V', 'F'\]"):
        beat_report(y_true, y_pred, labels=["N", "S"])
    with pytest.raises(ValueError, match="distinct"):
        beat_report(y_true, y_pred, labels=["N", "N", "S", "V", "F"])


@pytest.mark.filterwarnings("ignore:A single label was found")  # sklearn's, on n = 1
@settings(deadline=None, max_examples=40)
@given(data=st.data(), kind=st.sampled_from(["str", "int", "object"]))
def test_agrees_with_sklearn(data, kind):
    n = data.draw(st.integers(1, 40))
    alphabet = {"str": list("NSVFQ"), "int": [0, 1, 2, 5], "object": list("NSVFQ")}[kind]
    labels = st.lists(st.sampled_from(alphabet), min_size=n, max_size=n)
    dtype = object if kind == "object" else None
    y_true = np.array(data.draw(labels), dtype=dtype)
    y_pred = np.array(data.draw(labels), dtype=dtype)
    report = beat_report(y_true, y_pred)

    assert report.accuracy == pytest.approx(metrics.accuracy_score(y_true, y_pred))
    assert report.macro_f1 == pytest.approx(
        metrics.f1_score(y_true, y_pred, average="macro", zero_division=0)
    )
    assert report.weighted_f1 == pytest.approx(
        metrics.f1_score(y_true, y_pred, average="weighted", zero_division=0)
    )
    has_beats = np.unique(y_true).tolist()
    assert report.balanced_accuracy == pytest.approx(
        metrics.recall_score(y_true, y_pred, labels=has_beats, average="macro")
    )
    np.testing.assert_array_equal(
        report.confusion_matrix,
        metrics.confusion_matrix(y_true, y_pred, labels=list(report.labels)),
    )
    never_true = [label not in y_true for label in report.labels]
    never_pred = [label not in y_pred for label in report.labels]
    assert report.per_class["sensitivity"].isna().tolist() == never_true
    assert report.per_class["positive_predictivity"].isna().tolist() == never_pred


@pytest.fixture
def scored():
    """200 beats with probabilities in columns sorted by label."""
    rng = np.random.default_rng(0)
    y_true = rng.choice(list("NNNSVF"), 200)
    classes = np.unique(y_true)
    logits = rng.normal(size=(200, 4)) + 2 * (y_true[:, None] == classes)
    proba = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return y_true, classes[proba.argmax(axis=1)], proba, classes


def test_areas_agree_with_sklearn(scored):
    y_true, y_pred, proba, classes = scored
    report = beat_report(y_true, y_pred, proba)
    assert report.labels == ("N", "S", "V", "F")  # the columns are F N S V
    for column, label in enumerate(classes):
        row = report.per_class.loc[label]
        assert row["auroc"] == metrics.roc_auc_score(y_true == label, proba[:, column])
        assert row["auprc"] == metrics.average_precision_score(y_true == label, proba[:, column])
    assert report.macro_auroc == pytest.approx(
        metrics.roc_auc_score(y_true, proba, multi_class="ovr", average="macro")
    )
    assert report.macro_auprc == pytest.approx(report.per_class["auprc"].mean())


def test_classes_name_the_columns(scored):
    y_true, y_pred, proba, classes = scored
    expected = beat_report(y_true, y_pred, proba)
    order = [2, 0, 3, 1]
    # The order of the rows is independent of that of the columns.
    for labels in (None, list("FVSN")):
        report = beat_report(
            y_true, y_pred, proba[:, order], classes=classes[order], labels=labels
        )
        pd.testing.assert_frame_equal(report.per_class.loc[list("NSVF")], expected.per_class)


def test_columns_in_wrong_order(scored):
    y_true, y_pred, proba, classes = scored
    aami = [list(classes).index(label) for label in "NSVF"]
    with pytest.raises(ValueError, match=r"read as \['F', 'N', 'S', 'V'\].*Pass classes="):
        beat_report(y_true, y_pred, proba[:, aami])


def test_class_without_scores_or_without_beats(scored):
    y_true, y_pred, proba, classes = scored
    no_f = y_pred != "F"
    report = beat_report(
        y_true[no_f], y_pred[no_f], proba[no_f, 1:], classes=classes[1:]
    )  # F has true beats, but was not in the training set
    assert report.per_class.loc["F", "support"] > 0
    assert np.isnan(report.per_class.loc["F", "auroc"])
    assert report.macro_auroc == report.per_class["auroc"].drop("F").mean()

    no_f = (y_true != "F") & (y_pred != "F")
    report = beat_report(y_true[no_f], y_pred[no_f], proba[no_f], classes=classes)
    assert report.per_class.loc["F", "support"] == 0
    assert report.per_class.loc["F", ["auroc", "auprc"]].isna().all()


def test_two_classes_take_one_column_of_scores():
    rng = np.random.default_rng(1)
    y_true = rng.integers(0, 2, 60).astype(bool)
    score = rng.normal(size=60) + y_true
    y_pred = score > 0.5
    report = beat_report(y_true, y_pred, score)
    auroc = metrics.roc_auc_score(y_true, score)
    np.testing.assert_allclose(report.per_class["auroc"], [auroc, auroc])
    np.testing.assert_allclose(
        report.per_class["auprc"],
        [
            metrics.average_precision_score(~y_true, -score),
            metrics.average_precision_score(y_true, score),
        ],
    )
    both = beat_report(y_true, y_pred, np.column_stack([1 - score, score]))
    pd.testing.assert_frame_equal(both.per_class, report.per_class)


def test_one_class_only():
    report = beat_report(["N"] * 3, ["N"] * 3, np.ones((3, 1)))
    assert report.accuracy == report.macro_f1 == report.balanced_accuracy == 1
    assert np.isnan(report.macro_auroc)


def test_patients():
    y_true = np.array(list("NNNNVV" + "NNNN" + "VS"))
    y_pred = np.array(list("NNNVVN" + "NNNN" + "NS"))
    groups = [100] * 6 + [201] * 4 + [233] * 2
    report = beat_report(y_true, y_pred, groups=groups)
    assert report.per_class["patients"].to_dict() == {"N": 2, "S": 1, "V": 2}
    assert report.mean_patient_accuracy == pytest.approx((4 / 6 + 1 + 1 / 2) / 3)
    frame = report.per_patient
    assert frame.index.tolist() == [100, 201, 233]
    assert frame["support"].tolist() == [6, 4, 2]
    np.testing.assert_allclose(frame["accuracy"], [4 / 6, 1, 1 / 2])
    np.testing.assert_allclose(frame["sensitivity_N"], [3 / 4, 1, np.nan])
    np.testing.assert_allclose(frame["sensitivity_V"], [1 / 2, np.nan, 0])
    np.testing.assert_allclose(frame["sensitivity_S"], [np.nan, np.nan, 1])
    assert "3 patients" in str(report)


def test_json_round_trip(tmp_path, scored):
    y_true, y_pred, proba, _ = scored
    y_pred = np.where(y_pred == "S", "N", y_pred)
    report = beat_report(y_true, y_pred, proba, np.arange(200) % 3)
    path = tmp_path / "report.json"
    text = report.to_json(path)

    def refuse(constant):
        raise AssertionError(f"{constant} is not JSON")

    read = json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)
    assert read == json.loads(text) == report.to_dict()
    assert read["overall"] == report.overall
    assert read["confusion_matrix"] == report.confusion_matrix.tolist()
    rows = pd.DataFrame(read["per_class"]).set_index("label")
    pd.testing.assert_frame_equal(rows, report.per_class)
    assert read["per_class"][1]["positive_predictivity"] is None
    assert len(read["per_patient"]) == 3


def test_json_of_integer_and_boolean_labels():
    for labels in ([0, 1], [False, True]):
        read = json.loads(beat_report(np.array(labels), np.array(labels)).to_json())
        assert read["labels"] == labels
        assert [row["label"] for row in read["per_class"]] == labels


def test_print(report):
    text = str(report)
    lines = text.splitlines()
    assert lines[0] == "134 beats, 4 classes"
    assert lines[2].split() == ["sensitivity", "pos.", "pred.", "F1", "beats"]
    assert lines[6].split() == ["F", "0.0000", "\N{EN DASH}", "0.0000", "4"]
    assert "accuracy            0.8358" in lines
    assert "undefined" in lines[-1]
    assert "nan" not in text.lower()
    assert "macro_f1=" in repr(report)
    html = report._repr_html_()
    assert html.count("<table") == 3
    assert "nan" not in html.lower()
    assert "undefined" not in str(beat_report(["N"], ["N"]))


def test_report_is_frozen(report):
    with pytest.raises(dataclasses.FrozenInstanceError):
        report.accuracy = 1.0


@pytest.mark.parametrize("container", [list, pd.Series, tuple, pd.Categorical])
def test_containers(container):
    y_true, y_pred = (container(y.tolist()) for y in beats_of(CONFUSION, list("NSVF")))
    assert beat_report(y_true, y_pred).accuracy == pytest.approx(112 / 134)


NV = ["N", "V", "N"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"y_true": [], "y_pred": []}, "y_true is empty"),
        ({"y_true": NV, "y_pred": ["N"]}, "y_pred has 1 entries, but y_true has 3"),
        ({"y_true": NV, "y_pred": [["N"], ["V"], ["N"]]}, r"y_pred must be 1-D.*\(3, 1\)"),
        ({"y_true": ["N", None, "V"], "y_pred": NV}, "y_true has no label.* for 1 of 3"),
        ({"y_true": [0, 1], "y_pred": [0, np.nan]}, "y_pred has no label"),
        ({"y_true": [0.2, 0.7], "y_pred": [0, 1]}, "y_true must hold class labels"),
        ({"y_true": [0, 1], "y_pred": ["0", "1"]}, "Mix of label input types"),
        (
            {"y_true": NV, "y_pred": NV, "groups": [1, 2]},
            r"groups has the shape \(2,\), expected \(3,\)",
        ),
        (
            {"y_true": NV, "y_pred": NV, "groups": [1, np.nan, 2]},
            "groups contains missing values: the patient of",
        ),
        (
            {"y_true": NV, "y_pred": NV, "groups": [[1, 1, 2]]},
            r"groups has the shape \(1, 3\), expected \(3,\)",
        ),
        ({"y_true": NV, "y_pred": NV, "y_score": [0.1, 0.9]}, "y_score has 2 entries"),
        ({"y_true": NV, "y_pred": NV, "y_score": 0.5}, "y_score has 1 entries"),
        (
            {"y_true": NV, "y_pred": NV, "y_score": np.ones((3, 5))},
            r"shape \(3, 5\); expected one column for each of the 2 classes \['N', 'V'\]",
        ),
        (
            {"y_true": list("NVS"), "y_pred": list("NVS"), "y_score": [0.1, 0.9, 0.5]},
            r"shape \(3,\); expected one column for each of the 3 classes",
        ),
        (
            {"y_true": NV, "y_pred": NV, "y_score": [[1, 0], [np.nan, 1], [1, np.inf]]},
            "y_score holds NaN or infinity in 2 of 3 rows",
        ),
        ({"y_true": NV, "y_pred": NV, "y_score": [["a", "b"]] * 3}, "real numbers"),
        ({"y_true": NV, "y_pred": NV, "y_score": np.ones((3, 2)) * 1j}, "complex128"),
        (
            {"y_true": NV, "y_pred": NV, "y_score": np.ones((3, 2)), "classes": ["N", "S"]},
            r"y_pred holds \['V'\], which classes \['N', 'S'\] lacks",
        ),
        (
            {"y_true": NV, "y_pred": NV, "y_score": np.ones((3, 2)), "classes": ["N", "N"]},
            "classes must list distinct labels",
        ),
    ],
)
def test_bad_input(arguments, message):
    with pytest.raises(ValueError, match=message):
        beat_report(**arguments)
