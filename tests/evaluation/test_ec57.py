"""Figures after EC57, against published and hand-made matrices."""

from __future__ import annotations

import numpy as np
import pytest

from ecgclf.evaluation import DS2, beat_report, ec57_report

# Rows: true N, S, V, F, Q; columns: predicted. The result of de Chazal, O'Dwyer and Reilly
# (2004) on DS2, from memory, not from the paper: its rows sum to the beats of DS2 but for one
# N, and the six figures of the paper's abstract follow from it.
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


def test_the_figures_of_de_chazal():
    figures = ["sensitivity", "positive_predictivity", "false_positive_rate"]
    gross = 100 * report_on(DE_CHAZAL).gross[figures]
    # Of the abstract, in percent.
    np.testing.assert_allclose(gross.loc["S"], [75.9, 38.5, 4.7], atol=0.051)
    np.testing.assert_allclose(gross.loc["V"], [77.7, 81.9, 1.2], atol=0.051)
    # The rule on F and Q is what makes the predictivity of V 81.9 and not 81.6.
    plain = 100 * report_on(DE_CHAZAL, not_counted={"S": "", "V": ""}).gross[figures]
    np.testing.assert_allclose(plain.loc["V"], [77.7, 81.6, 1.2], atol=0.051)


def test_what_is_counted_cell_by_cell():
    matrix = np.arange(1, 26).reshape(5, 5)
    cell = {
        true + pred.lower(): int(matrix[i, j])
        for i, true in enumerate("NSVFQ")
        for j, pred in enumerate("NSVFQ")
    }

    def total(cells):
        return sum(cell[name] for name in cells.split())

    expected = {
        "S": {
            "true_positives": total("Ss"),
            "false_negatives": total("Sn Sv Sf Sq"),
            "false_positives": total("Ns Vs Fs"),
            "true_negatives": total("Nn Nv Nf Nq Vn Vv Vf Vq Fn Fv Ff Fq Qn Qv Qf Qq"),
        },
        "V": {
            "true_positives": total("Vv"),
            "false_negatives": total("Vn Vs Vf Vq"),
            "false_positives": total("Nv Sv"),
            "true_negatives": total("Nn Ns Nf Nq Sn Ss Sf Sq Fn Fs Ff Fq Qn Qs Qf Qq"),
        },
    }
    gross = report_on(matrix).gross
    for name, counts in expected.items():
        assert gross.loc[name, list(counts)].to_dict() == counts
        tp, fn, fp, tn = counts.values()
        assert gross.loc[name, "sensitivity"] == tp / (tp + fn)
        assert gross.loc[name, "positive_predictivity"] == tp / (tp + fp)
        assert gross.loc[name, "false_positive_rate"] == fp / (fp + tn)
        assert gross.loc[name, "f1"] == 2 * tp / (2 * tp + fp + fn)
    # sumstats of the WFDB package adds F and Q up before it divides.
    lenient = report_on(matrix, not_counted={"S": "FQ", "V": "FQ"}).gross
    assert lenient.loc["S", "false_positives"] == total("Ns Vs")
    assert lenient.loc["V"].equals(gross.loc["V"])


def test_missed_and_invented_beats():
    """No beat is O: the counts of bxb, with On as a false detection and No as a missed beat."""
    matrix = np.arange(1, 37).reshape(6, 6)
    matrix[5, 5] = 0
    n, s, v, o = 0, 1, 2, 5
    gross = report_on(matrix, "NSVFQO").gross
    assert gross.loc["V", "false_negatives"] == matrix[v].sum() - matrix[v, v]
    assert gross.loc["V", "false_positives"] == matrix[[n, s, o], v].sum()
    called_beat = np.delete(matrix[:, :5], v, axis=1)
    assert gross.loc["V", "true_negatives"] == np.delete(called_beat, v, axis=0).sum()
    assert gross.loc["QRS", "sensitivity"] == matrix[:5, :5].sum() / matrix[:5].sum()
    assert gross.loc["QRS", "positive_predictivity"] == matrix[:5, :5].sum() / matrix[:, :5].sum()
    assert np.isnan(gross.loc["QRS", "false_positive_rate"])
    assert "QRS +P" in str(report_on(matrix, "NSVFQO"))


def test_against_one_class_against_the_rest():
    matrix = DE_CHAZAL[:3, :3]
    y_true, y_pred = beats_of(matrix, "NSV")
    plain = beat_report(y_true, y_pred).per_class
    gross = report_on(matrix, "NSV").gross
    for figure in ("sensitivity", "positive_predictivity", "f1"):
        np.testing.assert_allclose(gross[figure], plain.loc[["S", "V"], figure])


@pytest.fixture
def three_records():
    """Record a: all V found; b: no V, one invented; c: half of the V found."""
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


@pytest.mark.parametrize("as_mask", [True, False])
def test_paced_records_are_left_out_and_told(as_mask):
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


def test_no_record_of_the_protocol_is_left_out():
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
        ({"not_counted": {"V": "FQ"}}, r"not_counted must have the keys .*\['S'\]"),
        ({"y_true": list("NNO"), "y_pred": list("NNO")}, "1 rows have 'O'"),
        ({"y_true": []}, "y_true is empty"),
    ],
)
def test_bad_input(change, message):
    given = {"y_true": list("NNV"), "y_pred": list("NVV"), "record": ["100"] * 3}
    with pytest.raises(ValueError, match=message):
        ec57_report(**given | change)
