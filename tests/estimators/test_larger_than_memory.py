"""Training on beats in files and chunked arrays."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from sklearn.base import clone

from ecgclf import ECGAutoencoder, ECGCNNClassifier
from ecgclf.datasets import make_beats
from tests.networks import QUICK

CLASSIFIER = ECGCNNClassifier(filters=(4,), stride=4, **QUICK)
AUTOENCODER = ECGAutoencoder(kind="dense", dense=(8,), n_codes=4, **QUICK)


def memory(array, folder):
    return array


def mapped(array, folder):
    np.save(folder / "X.npy", array)
    return np.load(folder / "X.npy", mmap_mode="r")


def in_zarr(array, folder):
    zarr = pytest.importorskip("zarr")
    chunks = (50, *array.shape[1:])
    made = zarr.open(
        str(folder / "X.zarr"), mode="w", shape=array.shape, chunks=chunks, dtype=array.dtype
    )
    made[:] = array
    return made


@pytest.fixture(params=[mapped, in_zarr])
def stored(request, tmp_path):
    return lambda array: request.param(array, tmp_path)


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_same_classifier(stored, beats, dtype, early_stopping):
    X, y = beats.data.astype(dtype), beats.target
    model = clone(CLASSIFIER).set_params(early_stopping=early_stopping)
    expected = clone(model).fit(X, y, groups=beats.groups)
    found = model.fit(stored(X), y, groups=beats.groups)
    probabilities = expected.predict_proba(X)
    np.testing.assert_array_equal(found.predict_proba(X), probabilities)
    np.testing.assert_array_equal(found.predict_proba(stored(X)), probabilities)
    assert found.training_data_ == expected.training_data_
    assert found.n_features_in_ == X.shape[1]


def test_several_leads(stored, two_leads):
    X, y = two_leads.data, two_leads.target
    expected = clone(CLASSIFIER).fit(X, y)
    found = clone(CLASSIFIER).fit(stored(X), y)
    assert found.n_leads_ == 2
    np.testing.assert_array_equal(found.predict_proba(stored(X)), expected.predict_proba(X))


def test_the_same_autoencoder(stored, beats):
    weight = np.arange(len(beats.data)) % 3.0
    expected = clone(AUTOENCODER).fit(beats.data, sample_weight=weight)
    found = clone(AUTOENCODER).fit(stored(beats.data), sample_weight=weight)
    assert found.offset_ == expected.offset_
    for method in ("transform", "reconstruct", "score_samples", "predict"):
        np.testing.assert_array_equal(
            getattr(found, method)(stored(beats.data)), getattr(expected, method)(beats.data)
        )


def test_partial_fit(stored, beats):
    X, y = beats.data, beats.target
    expected = clone(CLASSIFIER).partial_fit(X, y, classes=np.unique(y))
    found = clone(CLASSIFIER).partial_fit(stored(X), y, classes=np.unique(y))
    np.testing.assert_array_equal(found.predict_proba(X), expected.predict_proba(X))


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("row", [0, 399])
def test_invalid_values_in_any_row(stored, beats, value, row):
    X = beats.data.copy()
    X[row, 5] = value
    for given in (X, stored(X)):
        with pytest.raises(ValueError, match=r"Input X contains (NaN|infinity)"):
            clone(CLASSIFIER).fit(given, beats.target)


def test_wrong_shape(stored, beats):
    model = clone(CLASSIFIER).fit(beats.data, beats.target)
    with pytest.raises(ValueError, match="X has 80 features, but ECGCNNClassifier is expecting"):
        model.predict(stored(beats.data[:, :80]))
    with pytest.raises(ValueError, match=r"X has 400 beats, but y has 399 labels"):
        model.fit(stored(beats.data), beats.target[1:])


@pytest.mark.parametrize(
    ("kind", "dtype"), [(mapped, np.float32), (mapped, np.float64), (memory, np.float64)]
)
@pytest.mark.parametrize("early_stopping", [False, True])
def test_the_beats_are_not_copied(tmp_path, kind, dtype, early_stopping):
    """For beats of 40 MB in float32, `fit` needs less than half of this in addition."""
    y = np.arange(10_000) % 2
    X = kind(
        (np.arange(10_000)[:, None] % 7 + np.arange(1000) * y[:, None]).astype(dtype), tmp_path
    )
    model = clone(CLASSIFIER).set_params(
        filters=(2,), stride=64, kernel_size=1, max_epochs=1, batch_size=500
    )
    model.set_params(early_stopping=early_stopping)
    model.fit(*make_beats(n_beats=100, random_state=0, return_X_y=True))  # imports and caches
    tracemalloc.start()
    try:
        model.fit(X, y)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 20e6
