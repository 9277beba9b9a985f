"""Beats among the others of their record: against plain loops."""

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

from ecgclf.transforms import MorphologyFeatures, QRSWidth, RecordRelative, TemplateCorrelation

SIGNAL = [f"sample_{i:03d}" for i in range(12)]
MAKERS = [
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


def naive(maker, X: pd.DataFrame) -> np.ndarray:
    """Beat by beat, by the definition."""
    rows = []
    for i in range(len(X)):
        past = X[(X["record"] == X["record"][i]) & (X["sample"] <= X["sample"][i])]
        if maker.n_beats is None:
            past = X[X["record"] == X["record"][i]]
        values = past[SIGNAL].to_numpy()[-(maker.n_beats or len(X)) :]
        beat = X.loc[i, SIGNAL].to_numpy(dtype=float)
        if isinstance(maker, RecordRelative):
            rows.append(maker.relation(beat, values.mean(axis=0)))
        else:
            rows.append([pearsonr(beat, np.median(values, axis=0)).statistic])
    return np.array(rows)


@pytest.mark.parametrize("maker", MAKERS, ids=repr)
def test_equals_a_plain_loop(maker):
    X = beats()
    np.testing.assert_allclose(maker.fit_transform(X), naive(maker, X), rtol=1e-9)


@pytest.mark.parametrize("maker", MAKERS, ids=repr)
@settings(deadline=None, max_examples=15)
@given(data=st.data())
def test_records_and_rows_stand_alone(maker, data):
    X = beats((data.draw(st.integers(1, 8)), data.draw(st.integers(1, 8))))
    is_first = (X["record"] == "r0").to_numpy()
    maker = maker.fit(X)
    expected = maker.transform(X)
    changed = X.assign(**{name: X[name] + 7 * ~is_first for name in ["sample", *SIGNAL[:5]]})
    np.testing.assert_array_equal(maker.transform(changed)[is_first], expected[is_first])
    order = np.array(data.draw(st.permutations(range(len(X)))))
    np.testing.assert_allclose(maker.transform(X.iloc[order]), expected[order], rtol=1e-9)


@pytest.mark.parametrize("maker", [m for m in MAKERS if m.n_beats], ids=repr)
def test_running_ones_do_not_know_the_future(maker):
    X = beats((12,))
    expected = maker.fit_transform(X)
    for until in (1, 5, 9):
        np.testing.assert_allclose(maker.transform(X[:until]), expected[:until], rtol=1e-9)


@pytest.mark.parametrize("maker", MAKERS, ids=repr)
@pytest.mark.parametrize("gain", [0.01, 30.0])
def test_amplitude_of_the_record_plays_no_part_but_in_differences(maker, gain):
    X = beats()
    X_scaled = X.assign(**{name: X[name] * gain for name in SIGNAL})
    expected = maker.fit_transform(X)
    if getattr(maker, "relation", None) is np.subtract:
        expected = expected * gain
    np.testing.assert_allclose(maker.transform(X_scaled), expected, rtol=1e-7, atol=1e-12)


def test_features_of_a_transformer_inside_and_their_names():
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


def test_names_of_columns_themselves():
    X = beats()
    maker = RecordRelative(n_beats=None, relation=np.subtract).fit(X)
    assert maker.get_feature_names_out()[0] == "sample_000_minus_mean_record"
    by_place = RecordRelative(record=0, sample=1).fit(np.arange(12.0).reshape(3, 4) + 1)
    assert by_place.get_feature_names_out().tolist() == ["x2_over_mean_32", "x3_over_mean_32"]
    assert TemplateCorrelation().fit(X).get_feature_names_out() == ["correlation_median_record"]


def test_a_mean_of_zero_and_a_feature_that_is_missing_give_nan_there_alone():
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
    ("maker", "X", "message"),
    [
        (RecordRelative(), beats()[["record", "sample"]], "needs columns with the beats"),
        (TemplateCorrelation(), beats().assign(sample_003=np.nan), "NaN"),
        (TemplateCorrelation(0), beats(), "The 'n_beats' parameter"),
        (RecordRelative(relation="over"), beats(), "The 'relation' parameter"),
        (RecordRelative(transformer="width"), beats(), "The 'transformer' parameter"),
    ],
)
def test_bad_input(maker, X, message):
    with pytest.raises(ValueError, match=message):
        maker.fit_transform(X)
