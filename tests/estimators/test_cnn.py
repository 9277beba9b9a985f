"""The convolutional network: its function, shapes and parameters.

The published networks are tested with the page that lists them.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.base import clone

from benchmarks.models.published import plain_deep_cnn
from ecgclf import ECGCNNClassifier


def test_equals_conv1d(rng):
    """The 2-D convolution in channels-last layout equals Conv1d of torch."""
    model = ECGCNNClassifier(
        filters=(4, 6), kernel_size=(5, 4), stride=1, dilation=(1, 2), pool_size=(2, 1),
        batch_norm=False, max_epochs=1, global_pool="avg", verbose=0, random_state=0,
    )  # fmt: skip
    X = rng.normal(size=(6, 50)).astype(np.float32)
    model.fit(X, [0, 1, 2, 0, 1, 2])
    first, second = (
        m for m in model.net_.module_.encoder.layers if isinstance(m, torch.nn.Conv2d)
    )
    x = torch.from_numpy(X)[:, None]
    with torch.no_grad():
        x = torch.conv1d(x, first.weight[:, :, 0], first.bias, padding=2).relu()
        x = torch.max_pool1d(x, 2)
        # Kernel 4, dilation 2: six zeros in all, three on either side.
        x = torch.conv1d(x, second.weight[:, :, 0], second.bias, padding=3, dilation=2).relu()
        expected = model.net_.module_.head(x.mean(dim=2))
    np.testing.assert_allclose(model.decision_function(X), expected.numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("global_pool", ["avg", "max", "avg_max", None])
@pytest.mark.parametrize("padding", ["same", "valid"])
def test_global_pooling(global_pool, padding, rng):
    X = rng.normal(size=(12, 70))
    model = ECGCNNClassifier(
        filters=(4, 8), pool_size=3, global_pool=global_pool, padding=padding, max_epochs=1,
        stride=1, conv_dropout=0.1, pool_dropout=0.1, verbose=0, random_state=0,
    )  # fmt: skip
    assert model.fit(X, np.arange(12) % 2).predict(X).shape == (12,)


def test_too_short_beats_are_an_error(rng):
    model = clone(plain_deep_cnn).set_params(early_stopping=False, max_epochs=1, verbose=0)
    y = np.arange(10) % 2
    # From the end: 1 sample, two kernels of 3 (5), pooled by 2 (10), two of 3 (14), pooled (28),
    # two of 3 (32), pooled (64), two of 5 (72).
    with pytest.raises(ValueError, match=r"Beats of 71 samples are too short.*at least 72.*pad"):
        model.fit(rng.random((10, 71)), y)
    model.fit(rng.random((10, 72)), y)
    assert model.n_samples_ == 72
