"""Tests of ECGInceptionClassifier."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from ecgclf import ECGInceptionClassifier
from ecgclf.datasets import make_beats
from tests.networks import QUICK


def test_parameters_of_inception_time():
    """As computed from the tables of Ismail Fawaz et al. 2020, for 12 leads and 5 classes."""
    kernels = 32 * 32 * (39 + 19 + 9)
    modules = [width * 32 + kernels + width * 32 + 2 * 128 for width in (12, *[128] * 5)]
    shortcuts = [width * 128 + 2 * 128 for width in (12, 128)]
    model = ECGInceptionClassifier(**{**QUICK, "max_epochs": 1})
    X = np.random.default_rng(0).normal(size=(10, 12, 50))
    network = model.fit(X, np.arange(10) % 5).net_.module_
    expected = sum(modules) + sum(shortcuts) + 128 * 5 + 5
    assert sum(p.numel() for p in network.parameters()) == expected


def test_a_module_is_the_convolutions_and_a_pooling():
    model = ECGInceptionClassifier(filters=2, kernel_sizes=(5, 3), n_modules=1, **QUICK)
    X = np.random.default_rng(0).normal(size=(10, 3, 40)).astype(np.float32)
    encoder = model.fit(X, np.arange(10) % 2).net_.module_.encoder.eval()
    (step,) = encoder.steps
    images = torch.from_numpy(X)[:, :, None]
    reduced = step.reduce[0](images)
    pooled = nn.functional.max_pool2d(images, (1, 3), stride=1, padding=(0, 1))
    parts = [branch[0](reduced) for branch in step.branches] + [step.pooled[1](pooled)]
    expected = step.norm(torch.cat(parts, 1)).relu().mean(dim=(2, 3))
    torch.testing.assert_close(encoder(torch.from_numpy(X)), expected)


def test_learns():
    beats = make_beats(n_beats=300, n_patients=10, random_state=0)
    params = {**QUICK, "max_epochs": 15, "batch_size": 32}
    model = ECGInceptionClassifier(filters=8, kernel_sizes=(19, 9, 5), bottleneck=8, **params)
    assert model.fit(beats.data, beats.target).score(beats.data, beats.target) > 0.9
