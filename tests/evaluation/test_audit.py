"""Tests of audit_split."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from ecgclf.datasets import DS1, DS2, load_kaggle_heartbeat, load_mitbih
from ecgclf.evaluation import audit_split

RNG = np.random.default_rng(0)
BEATS = RNG.normal(size=(200, 50))
GROUPS = np.repeat(np.arange(10), 20)
RECORD = np.array([f"r{group}" for group in GROUPS])
SAMPLE = np.tile(np.arange(20) * 300, 10)
CLEAN = GROUPS < 6, GROUPS >= 6


def audit(*args, **kwargs):
    """Audit a split without the warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return audit_split(*args, **kwargs)


def test_a_clean_split_gives_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = audit_split(BEATS, *CLEAN, groups=GROUPS, record=RECORD, sample=SAMPLE, fs=360)
    assert not found.leaks
    assert found.to_frame()["test beats"].tolist() == [0, 0, 0, 0]
    assert found.summary() == "no leak found"
    assert (found.n_train, found.n_test, found.shared_subjects) == (120, 80, ())


def test_masks_and_positions_are_equivalent():
    by_mask = audit(BEATS, *CLEAN, groups=GROUPS)
    by_position = audit(BEATS, *map(np.flatnonzero, CLEAN), groups=GROUPS)
    assert by_mask.to_frame().equals(by_position.to_frame())


def test_shared_subjects():
    groups = np.where(np.arange(200) % 20 < 5, GROUPS % 6, GROUPS)  # 5 beats of 4 test patients
    with pytest.warns(
        UserWarning, match=r"25.0% of the test beats are of a subject .*0, 1, 2, 3"
    ):
        found = audit_split(BEATS, *CLEAN, groups=groups)
    assert found.shared_subjects == (0, 1, 2, 3)
    assert found.of_shared_subjects == 20


@pytest.mark.parametrize(("noise", "identical", "near"), [(0, 7, 7), (0.05, 0, 7), (0.5, 0, 0)])
def test_identical_and_near_identical_beats(noise, identical, near):
    data = BEATS.copy()
    data[150:157] = data[10:17] + noise * RNG.normal(size=(7, 50))
    found = audit(data, *CLEAN)
    assert (found.identical, found.near_identical, found.n_compared) == (identical, near, 80)
    assert audit(data.reshape(200, 2, 25), *CLEAN).near_identical == near


def test_max_compared():
    data = BEATS.copy()
    data[GROUPS >= 6] = data[:80]
    found = audit(data, *CLEAN, max_compared=30)
    assert (found.identical, found.near_identical, found.n_compared) == (80, 30, 30)
    assert found.to_frame().loc["near-identical to one", "share"] == 1


def test_adjacent_beats():
    """Every tenth beat is a test beat; beats are 300 samples apart."""
    test = np.arange(200) % 10 == 5
    for seconds, expected in ((0.5, 0), (300 / 360, 20), (10, 20)):
        found = audit(BEATS, ~test, test, record=RECORD, sample=SAMPLE, fs=360, within=seconds)
        assert found.adjacent == expected
    # Equal positions in different records are not adjacent.
    assert audit(BEATS, *CLEAN, record=RECORD, sample=SAMPLE, fs=360).adjacent == 0


def test_impossible_checks_are_listed():
    found = audit(BEATS, *CLEAN)
    assert found.shared_subjects is found.of_shared_subjects is found.adjacent is None
    text = str(found)
    assert "not checked: groups is not given" in text
    assert "not checked: record, sample or fs is not given" in text
    assert "<NA>" not in text + found._repr_html_()
    assert "no leak found" in repr(found)


def test_ds1_and_ds2_share_one_subject_only(mitdb_dir):
    beats = load_mitbih(mitdb_dir, records=[*DS1, *DS2], fs=120)
    with pytest.warns(UserWarning, match=r"4\.3% of the test beats .* \(subject 201\)\.$"):
        found = audit_split(
            beats, np.isin(beats.record, DS1), np.isin(beats.record, DS2), max_compared=500
        )
    assert found.shared_subjects == (201,)
    assert found.of_shared_subjects == (beats.record == "202").sum() == 2136
    assert (found.identical, found.near_identical, found.adjacent) == (0, 0, 0)


def test_kaggle_split_leaks(mitdb_dir):
    beats = load_kaggle_heartbeat(mitdb_dir, subset="all")
    is_test = np.arange(len(beats.target)) >= 87_554
    found = audit(beats, ~is_test, is_test, max_compared=500)
    assert len(found.shared_subjects) == 47
    assert found.of_shared_subjects == found.adjacent == found.n_test == 21_892
    # Also without the patients, as in the CSV files.
    alone = audit(beats.data, ~is_test, is_test, max_compared=500)
    assert alone.near_identical > 100
    assert alone.leaks


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"train": [], "test": [1]}, "train must be positions of beats.* not empty"),
        ({"train": [0, 1], "test": [1]}, "train and test share 1 rows"),
        ({"test": [200]}, "test must be positions from 0 to 199; got 200"),
        ({"test": [-1]}, "test must be positions from 0 to 199"),
        ({"groups": [1, 2]}, r"groups has the shape \(2,\), expected \(200,\)"),
        ({"X": np.full((200, 5), np.nan)}, "X contains NaN"),
        ({"X": BEATS[:, 0]}, "1D array"),
    ],
)
def test_bad_input(change, message):
    given = {"X": BEATS, "train": [0, 1], "test": [2]}
    with pytest.raises(ValueError, match=message):
        audit_split(**given | change)
