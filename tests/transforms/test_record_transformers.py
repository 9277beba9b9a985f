"""Transformers that use the record and the position of each beat."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import pearsonr
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from ecgclf.datasets import RHYTHM_FEATURES, make_beats, rhythm_features
from ecgclf.transforms import (
    MorphologyFeatures,
    QRSWidth,
    RecordRelative,
    RhythmFeatures,
    TemplateCorrelation,
)

# --- rhythm -------------------------------------------------------------------------------------

RELATIVE = [feature.name for feature in RHYTHM_FEATURES if feature.relative]
POSITIONS = st.lists(st.integers(1, 900), min_size=2, max_size=40).map(np.cumsum)


def frame_of(*positions: np.ndarray) -> pd.DataFrame:
    """Frame of records a, b, ..., one for each array of positions."""
    records = [letter for letter, p in zip("abcdef", positions) for _ in p]
    return pd.DataFrame({"record": records, "sample": np.concatenate(positions)})


def columns_of(positions: np.ndarray, names: list[str], fs: float = 1.0) -> np.ndarray:
    """Features by `rhythm_features`."""
    table = pd.DataFrame(
        rhythm_features(positions, fs), columns=[feature.name for feature in RHYTHM_FEATURES]
    )
    return table[names].to_numpy()


def test_rhythm_equals_that_of_the_loaders():
    framed = make_beats(n_beats=300, n_patients=4, as_frame=True, random_state=0)
    # The loader also uses beats before the first and after the last beat that it returns.
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
def test_rhythm_is_independent_of_other_records_and_row_order(first, second, shift, seed):
    X = frame_of(first, second)
    expected = np.vstack([columns_of(p, RELATIVE) for p in (first, second)])
    features = RhythmFeatures().fit(X)
    np.testing.assert_array_equal(features.transform(X), expected)
    # Change the other record, shift it in time, and permute the rows.
    np.testing.assert_array_equal(
        features.transform(frame_of(first, second[:1]))[: len(first)], expected[: len(first)]
    )
    moved = X.assign(sample=X["sample"] + shift * (X["record"] == "b"))
    np.testing.assert_allclose(features.transform(moved), expected, rtol=1e-5, atol=1e-5)
    order = np.random.default_rng(seed).permutation(len(X))
    np.testing.assert_array_equal(features.transform(X.iloc[order]), expected[order])


@settings(deadline=None, max_examples=20)
@given(positions=POSITIONS, data=st.data())
def test_duplicated_beats_count_once(positions, data):
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


def test_default_features_do_not_depend_on_the_heart_rate():
    positions = np.array([0, 360, 700, 950, 1500])
    slow, fast = (RhythmFeatures().fit_transform(frame_of(p)) for p in (positions * 2, positions))
    np.testing.assert_allclose(slow, fast, rtol=1e-6)


def test_columns_by_position_and_by_name():
    expected = RhythmFeatures().fit_transform(frame_of(np.array([0, 9, 20, 28])))
    X = np.array([[5.0, 0, 1], [6.0, 9, 1], [7.0, 20, 1], [8.0, 28, 1]])
    np.testing.assert_array_equal(RhythmFeatures(record=2, sample=1).fit_transform(X), expected)
    np.testing.assert_array_equal(RhythmFeatures(record=-1, sample=1).fit_transform(X), expected)
    named = pd.DataFrame(X, columns=["value", "at", "name"])
    by_name = RhythmFeatures(record="name", sample="at")
    np.testing.assert_array_equal(by_name.fit_transform(named), expected)


def test_single_beat_has_no_rhythm():
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
def test_bad_parameters_of_rhythm(parameters, message):
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
def test_bad_input_of_rhythm(X, message):
    with pytest.raises(ValueError, match=message):
        RhythmFeatures().fit_transform(X)


# --- comparison with other beats of the record --------------------------------------------------

SIGNAL = [f"sample_{i:03d}" for i in range(12)]
TRANSFORMERS = [
    RecordRelative(n_beats=3),
    RecordRelative(n_beats=None),
    RecordRelative(n_beats=2, relation=np.subtract),
    TemplateCorrelation(),
    TemplateCorrelation(3),
]


def beats(sizes=(7, 5), seed=0) -> pd.DataFrame:
    """Random beats of several records."""
    rng = np.random.default_rng(seed)
    n = sum(sizes)
    keys = {
        "record": np.repeat([f"r{i}" for i in range(len(sizes))], sizes),
        "sample": np.arange(n) * 100,
    }
    signal = pd.DataFrame(rng.uniform(1, 2, size=(n, len(SIGNAL))), columns=SIGNAL)
    return pd.concat([pd.DataFrame(keys), signal], axis=1)


def naive(transformer, X: pd.DataFrame) -> np.ndarray:
    """Compute the features beat by beat, by their definition."""
    rows = []
    for i in range(len(X)):
        past = X[(X["record"] == X["record"][i]) & (X["sample"] <= X["sample"][i])]
        if transformer.n_beats is None:
            past = X[X["record"] == X["record"][i]]
        values = past[SIGNAL].to_numpy()[-(transformer.n_beats or len(X)) :]
        beat = X.loc[i, SIGNAL].to_numpy(dtype=float)
        if isinstance(transformer, RecordRelative):
            rows.append(transformer.relation(beat, values.mean(axis=0)))
        else:
            rows.append([pearsonr(beat, np.median(values, axis=0)).statistic])
    return np.array(rows)


@pytest.mark.parametrize("transformer", TRANSFORMERS, ids=repr)
def test_equals_a_loop_over_beats(transformer):
    X = beats()
    np.testing.assert_allclose(transformer.fit_transform(X), naive(transformer, X), rtol=1e-9)


@pytest.mark.parametrize("transformer", TRANSFORMERS, ids=repr)
@settings(deadline=None, max_examples=15)
@given(data=st.data())
def test_records_are_independent_and_row_order_is_kept(transformer, data):
    X = beats((data.draw(st.integers(1, 8)), data.draw(st.integers(1, 8))))
    is_first = (X["record"] == "r0").to_numpy()
    transformer = transformer.fit(X)
    expected = transformer.transform(X)
    changed = X.assign(**{name: X[name] + 7 * ~is_first for name in ["sample", *SIGNAL[:5]]})
    np.testing.assert_array_equal(transformer.transform(changed)[is_first], expected[is_first])
    order = np.array(data.draw(st.permutations(range(len(X)))))
    np.testing.assert_allclose(transformer.transform(X.iloc[order]), expected[order], rtol=1e-9)


@pytest.mark.parametrize("transformer", [t for t in TRANSFORMERS if t.n_beats], ids=repr)
def test_running_features_do_not_use_later_beats(transformer):
    X = beats((12,))
    expected = transformer.fit_transform(X)
    for until in (1, 5, 9):
        np.testing.assert_allclose(transformer.transform(X[:until]), expected[:until], rtol=1e-9)


@pytest.mark.parametrize("transformer", TRANSFORMERS, ids=repr)
@pytest.mark.parametrize("gain", [0.01, 30.0])
def test_amplitude_of_the_record_changes_only_differences(transformer, gain):
    X = beats()
    X_scaled = X.assign(**{name: X[name] * gain for name in SIGNAL})
    expected = transformer.fit_transform(X)
    if getattr(transformer, "relation", None) is np.subtract:
        expected = expected * gain
    np.testing.assert_allclose(transformer.transform(X_scaled), expected, rtol=1e-7, atol=1e-12)


def test_inner_transformer_and_its_feature_names():
    X = beats()
    widths = MorphologyFeatures(fs=100, before=0.05, measures=[QRSWidth([0.5, 0.25])])
    relative = RecordRelative(widths, n_beats=3)
    found = relative.fit_transform(X)
    assert relative.get_feature_names_out().tolist() == [
        "qrs_width_50_over_mean_3",
        "qrs_width_25_over_mean_3",
    ]
    assert not hasattr(widths, "n_features_in_")
    a, b = widths.fit_transform(X[SIGNAL]).T
    table = X[["record", "sample"]].assign(a=a, b=b)
    np.testing.assert_allclose(found, RecordRelative(n_beats=3).fit_transform(table))
    framed = RecordRelative(clone(widths).set_output(transform="pandas"), n_beats=3)
    np.testing.assert_array_equal(framed.fit_transform(X), found)
    piped = RecordRelative(make_pipeline(FunctionTransformer(np.negative), widths), n_beats=3)
    assert piped.fit_transform(X).shape == (12, 2)


def test_feature_names_without_inner_transformer():
    X = beats()
    transformer = RecordRelative(n_beats=None, relation=np.subtract).fit(X)
    assert transformer.get_feature_names_out()[0] == "sample_000_minus_mean_record"
    by_place = RecordRelative(record=0, sample=1).fit(np.arange(12.0).reshape(3, 4) + 1)
    assert by_place.get_feature_names_out().tolist() == ["x2_over_mean_32", "x3_over_mean_32"]
    assert TemplateCorrelation().fit(X).get_feature_names_out() == ["correlation_median_record"]


def test_nan_for_zero_means_and_missing_features():
    X = pd.DataFrame({"record": "a", "sample": range(4), "value": [0.0, 2, 4, 4]})
    assert np.isnan(RecordRelative(n_beats=2).fit_transform(X)).ravel().tolist() == [True] + 3 * [
        False
    ]
    flat = beats((6,))
    flat.loc[2, SIGNAL] = 1.0
    inside = MorphologyFeatures(fs=100, before=0.05, measures=[QRSWidth([0.5])])
    relative = RecordRelative(inside, n_beats=2).fit_transform(flat)
    assert np.flatnonzero(np.isnan(relative)).tolist() == [2]
    correlation = TemplateCorrelation().fit_transform(flat)
    assert np.flatnonzero(np.isnan(correlation)).tolist() == [2]


@pytest.mark.parametrize(
    ("transformer", "X", "message"),
    [
        (RecordRelative(), beats()[["record", "sample"]], "needs columns with the beats"),
        (TemplateCorrelation(), beats().assign(sample_003=np.nan), "NaN"),
        (TemplateCorrelation(0), beats(), "The 'n_beats' parameter"),
        (RecordRelative(relation="over"), beats(), "The 'relation' parameter"),
        (RecordRelative(transformer="width"), beats(), "The 'transformer' parameter"),
    ],
)
def test_bad_input(transformer, X, message):
    with pytest.raises(ValueError, match=message):
        transformer.fit_transform(X)
