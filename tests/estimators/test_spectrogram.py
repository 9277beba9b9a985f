"""Tests of ECGSpectrogramClassifier."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from scipy.signal import spectrogram
from torch import nn

from ecgclf import ECGSpectrogramClassifier
from ecgclf.datasets import make_beats


@pytest.mark.parametrize("kernel_size", [1, 2, 3, 4, 5])
def test_equals_plain_torch(rng, kernel_size):
    X = rng.normal(size=(12, 9, 14)).astype(np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = ECGSpectrogramClassifier(
            filters=(3,), kernel_size=kernel_size, max_epochs=1, verbose=0, random_state=0
        ).fit(X, np.arange(12) % 3)
    logits = model.decision_function(X)
    module = model.net_.module_
    conv, norm = (
        next(m for m in module.modules() if isinstance(m, kind))
        for kind in (nn.Conv2d, nn.BatchNorm2d)
    )
    before = (kernel_size - 1) // 2
    after = kernel_size - 1 - before
    with torch.no_grad():
        x = nn.functional.pad(torch.from_numpy(X)[:, None], (before, after, before, after))
        x = norm(nn.functional.conv2d(x, conv.weight)).relu()
        assert x.shape == (12, 3, 9, 14)
        x = nn.functional.max_pool2d(nn.functional.pad(x, (0, 0, 0, 1)), 2)  # 9 rows to 5
        expected = module.head(torch.cat([x.mean(dim=(2, 3)), x.amax(dim=(2, 3))], dim=1))
    np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (65, 33)])
def test_spectrograms_of_odd_sizes(rng, shape):
    X = rng.normal(size=(9, *shape)).astype(np.float32)
    y = np.arange(9) % 3
    model = ECGSpectrogramClassifier(
        filters=(4,) * 7, max_epochs=1, n_leads=shape[0], verbose=0, random_state=0
    ).fit(X, y)
    assert (model.n_leads_, model.n_samples_) == shape
    np.testing.assert_array_equal(model.predict_proba(X.reshape(9, -1)), model.predict_proba(X))


def test_learns_from_spectrograms_of_beats():
    def log_power(beats):
        return np.log(spectrogram(beats.data, beats.fs, nperseg=32, noverlap=24)[2] + 1e-6)

    train = make_beats(n_beats=600, n_patients=10, random_state=0)
    test = make_beats(n_beats=300, n_patients=10, random_state=1)
    model = ECGSpectrogramClassifier(batch_size=32, verbose=0, random_state=0)
    model.fit(log_power(train), train.target)
    most_frequent = np.mean(test.target == "N")
    assert model.score(log_power(test), test.target) > most_frequent + 0.1
