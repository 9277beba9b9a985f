"""Rhythm features as a transformer: by record, in any order, by name."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgclf.datasets import RHYTHM_FEATURES, make_beats, rhythm_features
from ecgclf.transforms import RhythmFeatures

RELATIVE = [feature.name for feature in RHYTHM_FEATURES if feature.relative]
POSITIONS = st.lists(st.integers(1, 900), min_size=2, max_size=40).map(np.cumsum)


def frame_of(*positions: np.ndarray) -> pd.DataFrame:
    """A record named a, b, ... for each array of positions."""
    records = [letter for letter, p in zip("abcdef", positions) for _ in p]
    return pd.DataFrame({"record": records, "sample": np.concatenate(positions)})


def columns_of(positions: np.ndarray, names: list[str], fs: float = 1.0) -> np.ndarray:
    """What the function behind the transformer says."""
    table = pd.DataFrame(
        rhythm_features(positions, fs), columns=[feature.name for feature in RHYTHM_FEATURES]
    )
    return table[names].to_numpy()


def test_equals_the_features_of_each_record_that_the_loaders_give():
    framed = make_beats(n_beats=300, n_patients=4, as_frame=True, random_state=0)
    # The loader knows beats before the first and after the last one that it returns.
    inner = np.flatnonzero(framed.frame["record"] == framed.frame["record"].shift(34))
    features = RhythmFeatures(causal=True).set_output(transform="pandas")
    found = features.fit_transform(framed.frame)
    local = [name for name in found if "so_far" not in name]
    np.testing.assert_allclose(
        found[local].to_numpy()[inner],
        framed.rhythm[local].to_numpy()[inner],
        rtol=1e-5,
        atol=1e-6,
    )


@settings(deadline=None, max_examples=40)
@given(first=POSITIONS, second=POSITIONS, shift=st.integers(-500, 500), seed=st.integers(0, 99))
def test_records_and_rows_stand_alone(first, second, shift, seed):
    X = frame_of(first, second)
    expected = np.vstack([columns_of(p, RELATIVE) for p in (first, second)])
    features = RhythmFeatures().fit(X)
    np.testing.assert_array_equal(features.transform(X), expected)
    # Whatever comes of another record, and whenever it was, and in whatever order rows are.
    np.testing.assert_array_equal(
        features.transform(frame_of(first, second[:1]))[: len(first)], expected[: len(first)]
    )
    moved = X.assign(sample=X["sample"] + shift * (X["record"] == "b"))
    np.testing.assert_allclose(features.transform(moved), expected, rtol=1e-5, atol=1e-5)
    order = np.random.default_rng(seed).permutation(len(X))
    np.testing.assert_array_equal(features.transform(X.iloc[order]), expected[order])


@settings(deadline=None, max_examples=20)
@given(positions=POSITIONS, data=st.data())
def test_a_beat_given_twice_counts_once(positions, data):
    rows = data.draw(st.lists(st.integers(0, len(positions) - 1), max_size=9))
    X = frame_of(positions)
    expected = RhythmFeatures().fit_transform(X)
    order = np.r_[np.arange(len(X)), np.array(rows, dtype=int)]
    np.testing.assert_array_equal(RhythmFeatures().fit_transform(X.iloc[order]), expected[order])


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, RELATIVE),
        ({"causal": True}, [f.name for f in RHYTHM_FEATURES if f.relative and f.causal]),
        ({"absolute": True, "fs": 360}, [f.name for f in RHYTHM_FEATURES]),
        ({"features": ["rr_next_over_mean_32", "rr_prev_over_next"]}, None),
        ({"features": ["rr_prev"], "fs": 360, "causal": True}, None),
    ],
)
def test_choice_of_features(parameters, expected):
    positions = np.array([0, 360, 700, 950, 1500])
    features = RhythmFeatures(**parameters).set_output(transform="pandas")
    found = features.fit_transform(frame_of(positions))
    names = expected or parameters["features"]
    assert found.columns.tolist() == names == features.get_feature_names_out().tolist()
    np.testing.assert_array_equal(found, columns_of(positions, names, parameters.get("fs", 1)))


def test_heart_rate_cannot_be_seen_by_default():
    positions = np.array([0, 360, 700, 950, 1500])
    slow, fast = (RhythmFeatures().fit_transform(frame_of(p)) for p in (positions * 2, positions))
    np.testing.assert_allclose(slow, fast, rtol=1e-6)


def test_columns_by_position_and_by_other_names():
    expected = RhythmFeatures().fit_transform(frame_of(np.array([0, 9, 20, 28])))
    X = np.array([[5.0, 0, 1], [6.0, 9, 1], [7.0, 20, 1], [8.0, 28, 1]])
    np.testing.assert_array_equal(RhythmFeatures(record=2, sample=1).fit_transform(X), expected)
    np.testing.assert_array_equal(RhythmFeatures(record=-1, sample=1).fit_transform(X), expected)
    named = pd.DataFrame(X, columns=["value", "at", "name"])
    by_name = RhythmFeatures(record="name", sample="at")
    np.testing.assert_array_equal(by_name.fit_transform(named), expected)


def test_a_single_beat_has_no_rhythm():
    X = frame_of(np.array([10, 20]), np.array([5]))
    assert np.isnan(RhythmFeatures().fit_transform(X)).any(axis=1).tolist() == [
        False,
        False,
        True,
    ]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"features": ["rr_last"]}, r"unknown: \['rr_last'\]"),
        ({"features": []}, "one or more different names"),
        ({"features": ["rr_prev_over_next"] * 2}, "one or more different names"),
        (
            {"features": ["rr_prev_over_next"], "causal": True},
            "causal=True excludes rr_prev_over_next, ",
        ),
        ({"features": ["rr_prev"]}, "rr_prev are in seconds. Set fs"),
        ({"absolute": True}, "rr_prev, rr_next, rr_prev_prev are in seconds. Set fs"),
        ({"fs": 0}, "The 'fs' parameter"),
        ({"sample": None}, "The 'sample' parameter"),
        ({"record": "name"}, r"no column 'name', but columns \['record', 'sample'\]"),
        ({"record": 7}, "record=7 is not a column of X, which has 2 feature"),
    ],
)
def test_bad_parameters(parameters, message):
    with pytest.raises(ValueError, match=message):
        RhythmFeatures(**parameters).fit(frame_of(np.array([1, 2, 4])))


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.array([[1.0, 2.0]]), r"no column 'record', but no column names"),
        (frame_of(np.array([1.0, np.nan])), "NaN"),
        (frame_of(np.array([1.0, np.inf])), "infinity"),
        (
            pd.DataFrame({"record": ["a", None], "sample": [1, 2]}),
            "record of 1 beats is",
        ),
        (frame_of(np.array([1, 2])).iloc[:0], "contains no beat"),
        (pd.DataFrame({"record": ["a"], "sample": ["b"]}), "could not convert"),
    ],
)
def test_bad_input(X, message):
    with pytest.raises(ValueError, match=message):
        RhythmFeatures().fit_transform(X)
