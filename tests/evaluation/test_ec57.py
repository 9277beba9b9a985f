"""Tests of ec57_report."""

from __future__ import annotations

import numpy as np
import pytest

from ecgclf.datasets import DS2
from ecgclf.evaluation import EC57_METRICS, beat_report, ec57_report, patient_intervals

# Rows: true N, S, V, F, Q; columns: predicted. It gives the six figures in the abstract of P. de
# Chazal, M. O'Dwyer and R. B. Reilly, IEEE Trans. Biomed. Eng. 51(7), p. 1196, 2004. Its rows are
# the beats of DS2, without one N.
DE_CHAZAL = np.array(
    [
        [38444, 1904, 303, 3509, 98],
        [173, 1395, 252, 16, 1],
        [117, 321, 2504, 176, 103],
        [33, 1, 7, 347, 0],
        [4, 0, 3, 0, 0],
    ]
)


def beats_of(matrix, labels="NSVFQ"):
    true, pred = np.indices(matrix.shape).reshape(2, -1)
    labels = np.array(list(labels))
    return labels[np.repeat(true, matrix.ravel())], labels[np.repeat(pred, matrix.ravel())]


def report_on(matrix, labels="NSVFQ", **kwargs):
    y_true, y_pred = beats_of(matrix, labels)
    return ec57_report(y_true, y_pred, np.full(len(y_true), "100"), **kwargs)


def test_figures_of_de_chazal():
    figures = ["sensitivity", "positive_predictivity", "false_positive_rate"]
    gross = 100 * report_on(DE_CHAZAL).gross[figures]
    # In percent, as in the abstract.
    np.testing.assert_allclose(gross.loc["S"], [75.9, 38.5, 4.7], atol=0.051)
    np.testing.assert_allclose(gross.loc["V"], [77.7, 81.9, 1.2], atol=0.051)
    # If F and Q were counted, the positive predictivity of V would be 81.6.
    plain = 100 * report_on(DE_CHAZAL, not_counted={"S": "", "V": ""}).gross[figures]
    np.testing.assert_allclose(plain.loc["V"], [77.7, 81.6, 1.2], atol=0.051)


#: Cells of the counts in the reference program bxb: bxb.c of the WFDB Software Package, revision
#: of 10 August 2010, function print_results. "Nv" is a true N predicted as V, "No" a missed and
#: "On" a false detection. bxb has no false positive rate for S; its true negatives here follow
#: those of V.
BXB = {
    ("S", "true_positives"): "Ss",
    ("S", "false_negatives"): "Sn Sv Sf Sq So",
    ("S", "false_positives"): "Ns Vs Fs Os",
    ("S", "true_negatives"): "Nn Nv Nf Nq Vn Vv Vf Vq Fn Fv Ff Fq Qn Qv Qf Qq On Ov Of Oq",
    ("V", "true_positives"): "Vv",
    ("V", "false_negatives"): "Vn Vs Vf Vq Vo",
    ("V", "false_positives"): "Nv Sv Ov",
    ("V", "true_negatives"): "Nn Ns Nf Nq Sn Ss Sf Sq Fn Fs Ff Fq Qn Qs Qf Qq On Os Of Oq",
    ("QRS", "true_positives"): "Nn Ns Nv Nf Nq Sn Ss Sv Sf Sq Vn Vs Vv Vf Vq Fn Fs Fv Ff Fq "
    "Qn Qs Qv Qf Qq",
    ("QRS", "false_negatives"): "No So Vo Fo Qo",
    ("QRS", "false_positives"): "On Os Ov Of Oq",
}


@pytest.mark.parametrize("labels", ["NSVFQ", "NSVFQO"])
def test_counts_against_bxb(labels):
    n = len(labels)
    matrix = np.random.default_rng(0).permutation(np.arange(1, n * n + 1)).reshape(n, n)
    if "O" in labels:
        matrix[-1, -1] = 0
    cell = {
        true + pred.lower(): int(matrix[i, j])
        for i, true in enumerate(labels)
        for j, pred in enumerate(labels)
    }

    def total(cells):
        return sum(cell.get(name, 0) for name in cells.split())

    gross = report_on(matrix, labels).gross
    assert gross.index.tolist() == (["S", "V", "QRS"] if "O" in labels else ["S", "V"])
    for (name, count), cells in BXB.items():
        if name in gross.index:
            assert gross.loc[name, count] == total(cells), (name, count)
    for name, counts in gross.iterrows():
        tp, fn, fp, tn = counts[:4]
        assert counts["sensitivity"] == tp / (tp + fn)
        assert counts["positive_predictivity"] == tp / (tp + fp)
        assert counts["f1"] == 2 * tp / (2 * tp + fp + fn)
        if name == "QRS":
            assert np.isnan(counts["false_positive_rate"])
        else:
            assert counts["false_positive_rate"] == fp / (fp + tn)
    assert ("QRS +P" in str(report_on(matrix, labels))) == ("O" in labels)
    # sumstats of the WFDB Software Package adds F and Q up before it divides.
    lenient = report_on(matrix, labels, not_counted={"S": "FQ", "V": "FQ"}).gross
    assert lenient.loc["S", "false_positives"] == total("Ns Vs Os")
    assert lenient.loc["V"].equals(gross.loc["V"])


FIGURES = ("sensitivity", "positive_predictivity", "f1")


def test_against_beat_report():
    matrix = DE_CHAZAL[:3, :3]
    y_true, y_pred = beats_of(matrix, "NSV")
    plain = beat_report(y_true, y_pred).per_class
    gross = report_on(matrix, "NSV").gross
    for figure in FIGURES:
        np.testing.assert_allclose(gross[figure], plain.loc[["S", "V"], figure])


@pytest.fixture
def three_records():
    """Record a: all V found; b: no V, one false positive; c: half of the V found."""
    y_true = list("NNVV") + list("NNNN") + list("NVV")
    y_pred = list("NNVV") + list("NNNV") + list("NVN")
    return y_true, y_pred, list("aaaabbbbccc")


def test_gross_and_average(three_records):
    report = ec57_report(*three_records)
    assert report.gross.loc["V", "sensitivity"] == 3 / 4
    assert report.average.loc["V", "sensitivity"] == (1 + 1 / 2) / 2  # b has no V
    assert report.average.loc["V", "positive_predictivity"] == (1 + 0 + 1) / 3
    assert report.average.loc["V", "false_positive_rate"] == pytest.approx((0 + 1 / 4 + 0) / 3)
    assert report.per_record["V"]["sensitivity"].isna().tolist() == [False, True, False]
    assert report.average.loc["S"].isna().tolist() == [True, True, False, True]
    frame = report.to_frame()
    assert frame.index.tolist() == ["a", "b", "c", "gross", "average"]
    assert frame.loc["gross", ("V", "true_positives")] == 3
    assert frame.loc["average", ("V", "sensitivity")] == 3 / 4


def test_print(three_records):
    report = ec57_report(*three_records)
    lines = str(report).splitlines()
    assert lines[0] == "11 beats of 3 records"
    row = next(line for line in lines if line.startswith("average")).split()
    assert row[5] == "0.7500"
    assert "undefined" in lines[-1]
    assert "nan" not in str(report).lower() + report._repr_html_().lower()
    assert repr(report).startswith("EC57Report(n_records=3, S_Se=")


def test_intervals_are_those_of_patient_intervals():
    rng = np.random.default_rng(0)
    y_true, y_pred = rng.choice(list("NSVFQ"), p=[0.4, 0.2, 0.2, 0.1, 0.1], size=(2, 800))
    groups = np.arange(800) // 40
    record = groups * 10 + np.arange(800) % 2  # two records of each patient
    report = ec57_report(y_true, y_pred, record, groups=groups, random_state=1)
    expected = patient_intervals(y_true, y_pred, groups, EC57_METRICS, random_state=1)
    shown = [(name, figure) for name in "SV" for figure in FIGURES]
    np.testing.assert_allclose(report.intervals.loc[shown], expected)
    for name, figure in shown:
        assert report.intervals.loc[(name, figure), "estimate"] == report.gross.loc[name, figure]
    assert expected.index[4] == "V positive predictivity without F, Q"
    assert "Gross figures with 95% intervals over 20 patients" in str(report)
    assert report.n_patients == 20
    assert ec57_report(y_true, y_pred, record).intervals is None


@pytest.mark.parametrize("as_mask", [True, False])
def test_paced_records_are_left_out(as_mask):
    record = np.array(["100", "102", "104", "100", "217"])
    exclude = {"exclude": record != "100"} if as_mask else {}
    report = ec57_report(list("NVVVV"), list("NNNVN"), record, **exclude)
    assert report.n_excluded == 3
    assert report.excluded_records == ("102", "104", "217")
    assert report.gross.loc["V", "sensitivity"] == 1
    assert "left out: 3 beats of 102, 104, 217" in str(report)
    everything = ec57_report(list("NVVVV"), list("NNNVN"), record.astype(int), exclude=())
    assert everything.gross.loc["V", "sensitivity"] == 1 / 4
    assert everything.n_excluded == 0


def test_ds2_is_not_left_out():
    report = ec57_report(["N"] * len(DS2), ["N"] * len(DS2), DS2)
    assert report.per_record.index.tolist() == sorted(DS2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"y_true": list("NNX")}, r"y_true holds \['X'\]; expected the AAMI classes"),
        ({"y_pred": list("NN")}, "y_pred has 2 entries"),
        ({"record": ["100"]}, r"record has the shape \(1,\), expected \(3,\)"),
        (
            {"record": ["100", None, "100"]},
            "record contains missing values: .* of 1 of 3",
        ),
        ({"exclude": ["100"]}, "exclude leaves out all 3 beats"),
        ({"exclude": "100"}, "exclude is '100'; expected a list"),
        ({"exclude": [True, False]}, r"mask of shape \(2,\); expected \(3,\)"),
        ({"not_counted": {"V": "FQ"}}, r"not_counted has the keys \['V'\]; expected 'S' and 'V'"),
        ({"y_true": list("NNO"), "y_pred": list("NNO")}, "1 rows have 'O'"),
        ({"y_true": []}, "y_true is empty"),
    ],
)
def test_bad_input(change, message):
    given = {"y_true": list("NNV"), "y_pred": list("NVV"), "record": ["100"] * 3}
    with pytest.raises(ValueError, match=message):
        ec57_report(**given | change)
