"""Tests of PatientAdaptiveSplit and of the splitters of scikit-learn with beats."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    LeaveOneGroupOut,
    StratifiedGroupKFold,
    TunedThresholdClassifierCV,
    cross_val_score,
)
from sklearn.neighbors import KNeighborsClassifier

from ecgclf import ECGCNNClassifier
from ecgclf.datasets import DS1, DS2, load_mitbih, make_beats
from ecgclf.evaluation import InterPatientSplit, PatientAdaptiveSplit

FS = 360
RECORD = np.repeat([*DS1, *DS2], 12)
SAMPLE = np.tile(np.arange(12) * 60 * FS, 44)  # one beat a minute
X = np.random.default_rng(0).normal(size=(len(RECORD), 2))
Y = np.arange(len(RECORD)) % 3 == 0


def test_first_five_minutes_are_training_beats():
    ((train, test),) = PatientAdaptiveSplit(SAMPLE, FS).split(X, groups=RECORD)
    early = SAMPLE < 300 * FS
    is_test = np.isin(RECORD, DS2)
    np.testing.assert_array_equal(train, np.flatnonzero(~is_test | early))
    np.testing.assert_array_equal(test, np.flatnonzero(is_test & ~early))
    assert len(test) == 22 * 7
    assert set(RECORD[test]) == set(DS2)
    assert not np.intersect1d(train, test).size


@pytest.mark.parametrize(("duration", "n_each"), [(30, 11), (60, 11), (61, 10), (600, 2)])
def test_duration(duration, n_each):
    splitter = PatientAdaptiveSplit(SAMPLE, FS, duration=duration)
    ((_, test),) = splitter.split(X, groups=RECORD)
    assert len(test) == 22 * n_each


def test_on_real_positions(mitdb_dir):
    beats = load_mitbih(mitdb_dir, records=["100", "101"], fs=120)
    splitter = PatientAdaptiveSplit(beats.sample, beats.fs_record)
    ((train, test),) = splitter.split(beats.data, groups=beats.record)
    learned = train[beats.record[train] == "100"]
    # The record lasts half an hour, so a sixth of its beats are training beats.
    assert len(learned) / (len(learned) + len(test)) == pytest.approx(1 / 6, abs=0.01)
    assert beats.sample[learned].max() < 300 * 360 <= beats.sample[test].min()


def test_with_any_splitter():
    inner = GroupKFold(4)
    splitter = PatientAdaptiveSplit(SAMPLE, FS, cv=inner)
    assert splitter.get_n_splits(X, Y, RECORD) == 4
    plain = list(inner.split(X, Y, RECORD))
    for (train, test), (train_before, test_before) in zip(splitter.split(X, Y, RECORD), plain):
        assert set(train_before) < set(train)
        assert set(train) | set(test) == set(train_before) | set(test_before)
        assert set(RECORD[test]) == set(RECORD[test_before])
    without = LeaveOneGroupOut()
    assert PatientAdaptiveSplit(SAMPLE, FS, cv=without).get_n_splits(X, Y, RECORD) == 44


def test_in_cross_validation_and_grid_search():
    splitter = PatientAdaptiveSplit(SAMPLE, FS)
    ((train, test),) = splitter.split(X, groups=RECORD)
    expected = [
        KNeighborsClassifier(k).fit(X[train], Y[train]).score(X[test], Y[test]) for k in (1, 5)
    ]
    score = cross_val_score(KNeighborsClassifier(1), X, Y, groups=RECORD, cv=splitter)
    assert score.tolist() == expected[:1]
    search = GridSearchCV(KNeighborsClassifier(), {"n_neighbors": [1, 5]}, cv=splitter)
    search.fit(X, Y, groups=RECORD)
    np.testing.assert_allclose(search.cv_results_["mean_test_score"], expected)
    with sklearn.config_context(enable_metadata_routing=True):
        routed = cross_val_score(
            KNeighborsClassifier(1), X, Y, params={"groups": RECORD}, cv=splitter
        )
    assert routed.tolist() == expected[:1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((SAMPLE[:5], FS), r"sample has the shape \(5,\), expected \(528,\)"),
        ((SAMPLE - 1, FS), "sample must hold finite positions in samples, at least 0"),
        ((np.where(SAMPLE == 0, np.nan, SAMPLE), FS), "the position of 44 of 528 beats is NaN"),
        ((np.where(SAMPLE == 0, np.inf, SAMPLE), FS), "sample must hold finite positions"),
        ((SAMPLE, 0), "fs is 0 and duration is 300.0; both must be positive"),
        ((SAMPLE, 10 * FS), "all 264 test beats are in the first 300 s .*fs=3600 Hz"),
    ],
)
def test_bad_input(arguments, message):
    with pytest.raises(ValueError, match=message):
        next(PatientAdaptiveSplit(*arguments).split(X, groups=RECORD))


# --- splitters of scikit-learn that the documentation recommends --------------------------------


def test_leave_one_subject_out(mitdb_dir):
    beats = load_mitbih(mitdb_dir, records=["100", "201", "202"], fs=120)
    tests = [test for _, test in LeaveOneGroupOut().split(beats.data, groups=beats.groups)]
    assert [set(beats.record[test]) for test in tests] == [{"100"}, {"201", "202"}]


def test_stratified_folds_of_ds1_contain_s_and_v(mitdb_dir):
    beats = load_mitbih(mitdb_dir, records=DS1, fs=120)
    folds = StratifiedGroupKFold(5, shuffle=True, random_state=0).split(
        beats.data, beats.target, beats.groups
    )
    least = {"S": 100, "V": 500}
    for train, test in folds:
        assert not np.intersect1d(beats.groups[train], beats.groups[test]).size
        for label, number in least.items():
            assert (beats.target[test] == label).sum() > number


def abnormal_or_normal_beats():
    beats = make_beats(n_beats=600, n_patients=8, noise=0.3, random_state=0)
    return beats.data, (beats.target != "N").astype(int), beats.groups


@pytest.mark.parametrize(
    "model",
    [LogisticRegression(), ECGCNNClassifier(max_epochs=2, random_state=0, verbose=0)],
    ids=["linear", "network"],
)
def test_threshold_on_validation_patients(model):
    data, y, groups = abnormal_or_normal_beats()
    by_patient = StratifiedGroupKFold(4)
    splits = list(by_patient.split(data, y, groups))
    tuned = TunedThresholdClassifierCV(model, scoring="balanced_accuracy", cv=splits)
    tuned.fit(data, y)
    scores = tuned.predict_proba(data)[:, 1]
    np.testing.assert_array_equal(tuned.predict(data), scores >= tuned.best_threshold_)
    with sklearn.config_context(enable_metadata_routing=True):
        if isinstance(model, ECGCNNClassifier):  # fit takes groups for early stopping
            model = model.set_fit_request(groups=True)
        routed = TunedThresholdClassifierCV(model, scoring="balanced_accuracy", cv=by_patient)
        routed.fit(data, y, groups=groups)
    assert routed.best_threshold_ == pytest.approx(tuned.best_threshold_)


def test_record_202_is_kept_by_default():
    ((_, test),) = PatientAdaptiveSplit(
        SAMPLE, FS, cv=InterPatientSplit(shared_subjects="drop")
    ).split(X, groups=RECORD)
    assert "202" not in RECORD[test]
    ((_, test),) = PatientAdaptiveSplit(SAMPLE, FS).split(X, groups=RECORD)
    assert "202" in RECORD[test]
