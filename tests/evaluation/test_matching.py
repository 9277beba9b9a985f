"""Tests of match_beats.

The rule is that of the reference program bxb (bxb.c of the WFDB Software Package, revision of
10 August 2010, function main): a pair is at most 150 ms apart, limit included, and closer than
the earlier beat of the pair is to the next one of its kind.
"""

from __future__ import annotations

import numpy as np
import pytest
import wfdb
from hypothesis import given, settings
from hypothesis import strategies as st
from wfdb.processing import compare_annotations

from ecgclf.datasets import AAMI_OF_SYMBOL, detect_r_peaks
from ecgclf.evaluation import ec57_report, match_beats


def matched(true, pred, window_ms=150, fs=360):
    labels = np.full(len(true), "N"), np.full(len(pred), "N")
    return match_beats(true, labels[0], pred, labels[1], fs=fs, window_ms=window_ms)


def noisy_detections(rng, n_beats=300, jitter=8):
    """Simulate annotated beats, and detections that are shifted, missed or false."""
    true = np.cumsum(rng.integers(150, 450, size=n_beats))
    kept = true[rng.random(n_beats) > 0.1]
    false_ones = rng.integers(0, true[-1], size=n_beats // 10)
    return true, np.unique(np.r_[kept + rng.integers(-jitter, jitter + 1, len(kept)), false_ones])


@pytest.mark.parametrize("seed", range(5))
def test_number_of_pairs_against_wfdb(seed):
    true, pred = noisy_detections(np.random.default_rng(seed))
    pairs = matched(true, pred)
    # wfdb-python requires less than the window, bxb at most the window.
    expected = compare_annotations(true, pred, window_width=55)
    assert (pairs["true"] >= 0).sum() == len(true)
    assert (pairs["pred"] >= 0).sum() == len(pred)
    both = pairs[(pairs["true"] >= 0) & (pairs["pred"] >= 0)]
    assert 0.8 * len(true) < len(both) < len(true)
    assert len(both) == expected.tp
    assert (pairs["pred"] < 0).sum() == expected.fn
    assert (pairs["true"] < 0).sum() == expected.fp
    assert np.abs(true[both["true"]] - pred[both["pred"]]).max() <= 54


positions = st.sets(st.integers(0, 3000), max_size=25).map(sorted)


@settings(deadline=None, max_examples=200)
@given(positions, positions)
def test_each_beat_is_paired_once_and_the_rule_is_symmetric(true, pred):
    pairs = matched(true, pred)
    assert sorted(pairs.loc[pairs["true"] >= 0, "true"]) == list(range(len(true)))
    assert sorted(pairs.loc[pairs["pred"] >= 0, "pred"]) == list(range(len(pred)))
    both = pairs[(pairs["true"] >= 0) & (pairs["pred"] >= 0)]
    assert all(abs(true[i] - pred[j]) <= 54 for i, j in zip(both["true"], both["pred"]))
    swapped = matched(pred, true)
    expected = swapped[(swapped["true"] >= 0) & (swapped["pred"] >= 0)]
    assert [*zip(both["true"], both["pred"])] == [*zip(expected["pred"], expected["true"])]


@pytest.mark.parametrize(
    ("true", "pred", "expected"),
    [
        ([100], [154], [(0, 0)]),
        ([100], [155], [(0, -1), (-1, 0)]),
        ([100], [46], [(0, 0)]),
        ([100], [45], [(-1, 0), (0, -1)]),
        ([100], [90, 101], [(-1, 0), (0, 1)]),  # the closer of two detections
        ([100, 130], [128], [(0, -1), (1, 0)]),  # the closer of two beats
        ([100, 500], [], [(0, -1), (1, -1)]),
        ([], [100, 500], [(-1, 0), (-1, 1)]),
    ],
)
def test_by_hand(true, pred, expected):
    pairs = matched(true, pred)
    assert list(zip(pairs["true"], pairs["pred"])) == expected
    assert pairs["y_true"].tolist() == ["N" if i >= 0 else "O" for i, _ in expected]
    assert pairs["y_pred"].tolist() == ["N" if j >= 0 else "O" for _, j in expected]


def test_the_detector_on_a_real_record(mitdb_dir):
    record = wfdb.rdrecord(str(mitdb_dir / "203"), channels=[0])
    truth = wfdb.rdann(str(mitdb_dir / "203"), "atr")
    beats = [
        (at, AAMI_OF_SYMBOL[symbol])
        for at, symbol in zip(truth.sample, truth.symbol)
        if symbol in AAMI_OF_SYMBOL
    ]
    true, labels = map(np.array, zip(*beats))
    found = detect_r_peaks(record.p_signal[:, 0], fs=record.fs)
    pairs = match_beats(true, labels, found, np.full(len(found), "N"), fs=record.fs)
    gross = ec57_report(pairs["y_true"], pairs["y_pred"], np.full(len(pairs), "203")).gross
    expected = compare_annotations(true, found, window_width=55)
    assert 0.9 < expected.sensitivity < 1
    # wfdb-python pairs a few beats with several close detections differently.
    assert gross.loc["QRS", "sensitivity"] == pytest.approx(expected.sensitivity, abs=0.002)
    assert gross.loc["QRS", "positive_predictivity"] == pytest.approx(
        expected.positive_predictivity, abs=0.002
    )
    assert gross.loc["V", "false_negatives"] == (labels == "V").sum() == 444
    assert gross.loc["QRS", ["true_positives", "false_negatives"]].sum() == len(true) == 2980


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fs": 0}, "fs is 0 and window_ms is 150.0; both must be positive"),
        ({"sample_true": [200, 100]}, "sample_true must hold increasing positions"),
        ({"sample_pred": [100, np.nan]}, "sample_pred must hold positions"),
        ({"sample_pred": [-5, 9]}, "increasing positions from 0"),
        ({"y_pred": ["N"]}, "sample_pred has 2 entries, but y_pred has 1"),
        ({"sample_true": [[1], [2]]}, "must be 1-D"),
    ],
)
def test_bad_input(change, message):
    given = {
        "sample_true": [100, 400],
        "y_true": ["N", "V"],
        "sample_pred": [101, 402],
        "y_pred": ["N", "N"],
        "fs": 360,
    }
    with pytest.raises(ValueError, match=message):
        match_beats(**given | change)
