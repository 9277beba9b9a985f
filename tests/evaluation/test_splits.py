"""Tests of InterPatientSplit."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
import sklearn
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    cross_val_score,
    cross_validate,
)
from sklearn.neighbors import KNeighborsClassifier

from ecgclf.datasets import DS1, DS2, MITBIH_PACED, MITBIH_RECORDS, mitbih_subject
from ecgclf.evaluation import InterPatientSplit

RECORD = np.repeat(MITBIH_RECORDS, 3)
SUBJECT = np.array([mitbih_subject(record) for record in RECORD])


def sides(splitter, groups):
    """Return the sets of groups in training and test."""
    ((train, test),) = splitter.split(np.zeros((len(groups), 2)), groups=groups)
    groups = np.asarray(groups)
    return set(groups[train].tolist()), set(groups[test].tolist())


def test_published_protocol():
    assert len(DS1) == len(DS2) == 22
    assert not set(DS1) & set(DS2)
    train, test = sides(InterPatientSplit(shared_subjects="keep"), RECORD)
    assert train == set(DS1)
    assert test == set(DS2)
    assert not (train | test) & set(MITBIH_PACED)


def test_all_beats_of_a_record_are_used():
    ((train, test),) = InterPatientSplit(shared_subjects="keep").split(RECORD, groups=RECORD)
    assert len(train) == len(test) == 3 * 22
    np.testing.assert_array_equal(train, np.flatnonzero(np.isin(RECORD, DS1)))
    np.testing.assert_array_equal(test, np.flatnonzero(np.isin(RECORD, DS2)))


def test_default_warns_of_the_shared_subject():
    with pytest.warns(UserWarning, match="subject of test record 202 .*'drop'"):
        _, test = sides(InterPatientSplit(), RECORD)
    assert test == set(DS2)
    alone = RECORD[~np.isin(RECORD, ["201"])]
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # without 201 no subject is shared
        assert "202" in sides(InterPatientSplit(), alone)[1]
        assert "202" in sides(InterPatientSplit(shared_subjects="drop"), alone)[1]


@settings(deadline=None, max_examples=30)
@given(
    present=st.sets(st.sampled_from(MITBIH_RECORDS)).map(
        lambda records: [*records, "101", "100"]
    ),
    swap=st.booleans(),
)
def test_drop_leaves_no_shared_subject(present, swap):
    by_set = (DS2, DS1) if swap else (DS1, DS2)
    train, test = sides(InterPatientSplit(*by_set, shared_subjects="drop"), present)
    assert train == set(by_set[0]) & set(present)
    assert not {*map(mitbih_subject, train)} & {*map(mitbih_subject, test)}
    lost = (set(by_set[1]) & set(present)) - test
    assert lost <= {"201", "202"}


@pytest.mark.parametrize("shared_subjects", ["warn", "keep", "drop"])
def test_subject_numbers_never_leak(shared_subjects):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        train, test = sides(InterPatientSplit(shared_subjects=shared_subjects), SUBJECT)
    assert train == set(map(int, DS1))
    assert test == set(map(int, DS2)) - {202}


@pytest.mark.parametrize(
    "groups",
    [
        RECORD.astype(int),
        RECORD.astype(object),
        RECORD.tolist(),
        pd.Series(RECORD, index=np.arange(len(RECORD)) + 7),
        pd.Categorical(RECORD),
    ],
    ids=["int", "object", "list", "Series", "Categorical"],
)
def test_groups_in_any_form(groups):
    train, test = sides(InterPatientSplit(shared_subjects="drop"), groups)
    assert set(map(str, train)) == set(DS1)
    assert set(map(str, test)) == set(DS2) - {"202"}


def test_given_records_of_other_databases():
    splitter = InterPatientSplit(train=[100, "I01"], test=["101", "I02"])
    train, test = sides(splitter, ["100", "101", "I01", "I02", "103"])
    assert train == {"100", "I01"}
    assert test == {"101", "I02"}


def test_repeated_splits_are_equal():
    splitter = InterPatientSplit(test=pd.Index(["100", "103"]))
    for _ in range(2):
        assert sides(splitter, RECORD)[1] == {"100", "103"}


X = np.random.default_rng(0).normal(size=(len(RECORD), 2))
Y = np.arange(len(RECORD)) % 3 == 0


def test_cross_val_score():
    splitter = InterPatientSplit(shared_subjects="drop")
    assert splitter.get_n_splits() == splitter.get_n_splits(X, Y, RECORD) == 1
    model = KNeighborsClassifier(1)
    scores = cross_val_score(model, X, Y, groups=RECORD, cv=splitter)
    train = np.isin(RECORD, DS1)
    test = np.isin(RECORD, [record for record in DS2 if record != "202"])
    assert scores.tolist() == [model.fit(X[train], Y[train]).score(X[test], Y[test])]


def test_grid_search():
    search = GridSearchCV(
        KNeighborsClassifier(),
        {"n_neighbors": [1, 5]},
        cv=InterPatientSplit(shared_subjects="keep"),
    )
    search.fit(X, Y, groups=RECORD)
    assert search.n_splits_ == 1
    train, test = np.isin(RECORD, DS1), np.isin(RECORD, DS2)
    expected = [
        KNeighborsClassifier(k).fit(X[train], Y[train]).score(X[test], Y[test]) for k in (1, 5)
    ]
    np.testing.assert_allclose(search.cv_results_["mean_test_score"], expected)


def test_metadata_routing_passes_groups():
    with sklearn.config_context(enable_metadata_routing=True):
        result = cross_validate(
            DummyClassifier(),
            X,
            Y,
            params={"groups": RECORD},
            cv=InterPatientSplit(shared_subjects="keep"),
            return_indices=True,
        )
    assert set(RECORD[result["indices"]["test"][0]]) == set(DS2)
    requests = InterPatientSplit().get_metadata_routing().split.requests
    assert requests == GroupKFold().get_metadata_routing().split.requests


def test_repr_and_clone():
    splitter = InterPatientSplit(train=["100"], test=["101"], shared_subjects="keep")
    assert "shared_subjects='keep'" in repr(splitter)
    assert clone(splitter, safe=False).shared_subjects == "keep"


@pytest.mark.parametrize(
    ("splitter", "groups", "message"),
    [
        (InterPatientSplit(), None, r"groups is None.*groups=beats\.record"),
        (InterPatientSplit(), ["101", "100"], r"groups has the shape \(2,\), expected \(3,\)"),
        (InterPatientSplit(), [["101"]] * 3, r"groups has the shape \(3, 1\)"),
        (InterPatientSplit(), [101.0, 100.0, np.nan], "groups contains missing values"),
        (InterPatientSplit(), [101.0, 100.0, 100.0], "groups holds 100.0, 101.0"),
        (
            InterPatientSplit(),
            ["101", "100", None],
            "the record of 1 of 3 beats is NaN or None",
        ),
        (InterPatientSplit(), [1, 2, 3], "groups holds 1, 2, 3, expected record names"),
        (InterPatientSplit(), ["101", "106", "102"], "no beat .* test set.* 101, 102, 106"),
        (InterPatientSplit(), ["100", "103", "102"], "no beat is left for the train set"),
        (
            InterPatientSplit(shared_subjects="drop"),
            ["201", "202", "202"],
            "no beat is left for the test set: groups holds 201, 202",
        ),
        (InterPatientSplit(train=["100"]), RECORD[:3], "100 are in both train and test"),
        (InterPatientSplit(train="100"), RECORD[:3], r"train is '100'; .* \['100'\]"),
        (InterPatientSplit(shared_subjects=True), RECORD[:3], "shared_subjects is True"),
    ],
)
def test_bad_input(splitter, groups, message):
    with pytest.raises(ValueError, match=message):
        next(splitter.split(np.zeros((3, 2)), groups=groups))
