"""Tests of BeatClassifier.features."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from ecgclf import ECGCNNClassifier, ECGMLPClassifier, ECGTransferClassifier
from tests.networks import QUICK


def test_the_last_layer_maps_features_to_logits(beats):
    rhythm = beats.rhythm[:, :2]
    plain = ECGCNNClassifier(filters=(8,), stride=2, dense=(12,), dense_dropout=0.3, **QUICK)
    with_rhythm = ECGMLPClassifier(dense=(6,), n_tabular=2, **QUICK)
    transfer = ECGTransferClassifier(
        source=plain.fit(beats.data, beats.target), dense=(7,), **QUICK
    )
    for model, X, width in (
        (plain, beats.data, 12),
        (with_rhythm, np.column_stack([beats.data, rhythm]), 6),
        (transfer, beats.data, 7),
    ):
        model.fit(X, beats.target)
        features = model.features(X[:50])
        assert features.shape == (50, width)
        layer = model.net_.module_.head[-1]
        weights, bias = (p.detach().numpy() for p in (layer.weight, layer.bias))
        logits = model.decision_function(X[:50])
        np.testing.assert_allclose(features @ weights.T + bias, logits, rtol=1e-4, atol=1e-4)
    with pytest.raises(NotFittedError):
        ECGCNNClassifier().features(beats.data)


def test_without_dense_layers_the_features_include_the_rhythm(beats):
    X = np.column_stack([beats.data, beats.rhythm[:, :2]])
    model = ECGMLPClassifier(dense=(), dense_dropout=(), n_tabular=2, **QUICK)
    np.testing.assert_array_equal(model.fit(X, beats.target).features(X[:5]), X[:5])
