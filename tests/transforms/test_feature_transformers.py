"""Common tests of the transformers from beats to features, driven by one table."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import parametrize_with_checks

from ecgclf.datasets import make_beats
from ecgclf.transforms import (
    HermiteCoefficients,
    MorphologyFeatures,
    QRSWidth,
    RecordRelative,
    RhythmFeatures,
    SignalQuality,
    TemplateCorrelation,
)

#: Instances for the few columns of scikit-learn's checks: at 1 Hz every wave is one sample.
CHECKED = [
    MorphologyFeatures(fs=1, before=0),
    MorphologyFeatures(fs=1, before=0, measures=[QRSWidth()]),
    SignalQuality(fs=360),
    RhythmFeatures(record=0, sample=1),
    RecordRelative(record=0, sample=None),
    TemplateCorrelation(record=0, sample=None),
]

#: Instances for beats in a frame: of signals, and of signals with record and position.
OF_SIGNALS = [
    MorphologyFeatures(fs=360, before=0.25),
    MorphologyFeatures(fs=360, before=0.25, measures=[HermiteCoefficients(3)]),
    SignalQuality(fs=360),
]
OF_RECORDS = [
    RhythmFeatures(),
    RhythmFeatures(absolute=True, fs=360),
    RecordRelative(MorphologyFeatures(fs=360, before=0.25)),
    TemplateCorrelation(8),
]

every_transformer = pytest.mark.parametrize(
    "transformer", OF_SIGNALS + OF_RECORDS, ids=lambda transformer: type(transformer).__name__
)


@pytest.fixture(scope="module")
def framed():
    return make_beats(n_beats=60, n_patients=3, fs=360, random_state=0, as_frame=True)


@pytest.fixture
def table(transformer, framed):
    signal = list(framed.data.columns)
    columns = signal if transformer in OF_SIGNALS else ["record", "sample", *signal]
    return framed.frame[columns]


@parametrize_with_checks(CHECKED)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@every_transformer
def test_pickle_and_clone(transformer, table):
    fitted = clone(transformer).fit(table)
    expected = fitted.transform(table)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(fitted)).transform(table), expected)
    again = clone(fitted)
    assert not hasattr(again, "n_features_in_")
    np.testing.assert_array_equal(again.fit_transform(table), expected)


@every_transformer
def test_names_and_index_of_frames(transformer, table):
    fitted = clone(transformer).fit(table)
    names = fitted.get_feature_names_out()
    values = fitted.transform(table)
    assert values.shape == (len(table), len(names)) == (60, len(set(names)))
    named = fitted.set_output(transform="pandas").transform(table.set_axis(range(100, 160)))
    assert named.columns.tolist() == names.tolist()
    assert named.index.tolist() == list(range(100, 160))
    np.testing.assert_array_equal(named.to_numpy(), values)
    assert np.isfinite(values).all()


@every_transformer
def test_input_is_not_modified(transformer, table):
    before = table.copy()
    clone(transformer).fit_transform(table)
    pd.testing.assert_frame_equal(table, before)


@every_transformer
def test_names_need_fit(transformer):
    with pytest.raises(NotFittedError):
        clone(transformer).get_feature_names_out()


@every_transformer
@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
def test_bad_input(transformer, table):
    fitted = clone(transformer).fit(table)
    last = table.columns[-1]
    if transformer not in OF_RECORDS[:2]:  # rhythm features ignore signals
        for value, word in ((np.nan, "NaN"), (np.inf, "infinity")):
            with pytest.raises(ValueError, match=word):
                fitted.transform(table.assign(**{last: value}))
    with pytest.raises(ValueError, match="feature names should match"):
        fitted.transform(table.drop(columns=last))
    for empty in (table.iloc[:0], table.iloc[0]):
        with pytest.raises(ValueError):  # noqa: PT011 - messages of scikit-learn differ
            fitted.transform(empty)
