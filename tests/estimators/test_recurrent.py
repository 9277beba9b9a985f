"""Tests of recurrent classifiers and the transformer."""

from __future__ import annotations

import numpy as np
import pytest

from ecgclf import (
    ECGCRNNClassifier,
    ECGLSTMClassifier,
    ECGRNNClassifier,
    ECGTransformerClassifier,
)
from tests.networks import QUICK


def test_the_lstm_is_a_recurrent_network_with_that_cell(beats):
    lstm = ECGLSTMClassifier(units=(8,), **QUICK).fit(beats.data, beats.target)
    rnn = ECGRNNClassifier(units=(8,), cell="lstm", **QUICK).fit(beats.data, beats.target)
    np.testing.assert_array_equal(lstm.predict_proba(beats.data), rnn.predict_proba(beats.data))
    assert lstm.get_params()["cell"] == "lstm"
    assert ECGRNNClassifier().get_params()["cell"] == "gru"


def test_zeros_at_the_end_are_masked(beats):
    model = ECGLSTMClassifier(units=(8,), step_size=1, **QUICK)
    filled = np.hstack([beats.data, np.zeros((len(beats.data), 40), dtype=np.float32)])
    alone = model.fit(beats.data, beats.target).predict_proba(beats.data)
    np.testing.assert_allclose(
        model.fit(filled, beats.target).predict_proba(filled), alone, atol=1e-5
    )


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (ECGCRNNClassifier(step_dense=(4,), **QUICK), "leaves no steps: set step_pool=None"),
        (ECGTransformerClassifier(width=10, n_heads=4, **QUICK), "divisible by n_heads=4"),
        (ECGLSTMClassifier(units=(4, 4), recurrent_dropout=(0.1,), **QUICK), "for 2 layers"),
        (ECGRNNClassifier(units=(), **QUICK), "'units' parameter"),
        (ECGRNNClassifier(cell="mlp", **QUICK), "'cell' parameter"),
        (
            ECGCRNNClassifier(padding="valid", kernel_size=50, stride=1, **QUICK),
            "too short for this network",
        ),
    ],
)
def test_inconsistent_parameters(beats, model, message):
    with pytest.raises(ValueError, match=message):
        model.fit(beats.data, beats.target)
