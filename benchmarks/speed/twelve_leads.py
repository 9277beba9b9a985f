"""Networks for recordings of 12 leads, compared with plain torch."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import torch
from sklearn.base import clone
from torch import nn

from benchmarks.common.timing import compare, rows_of
from benchmarks.models.plain_torch import copy_weights, logits
from benchmarks.models.plain_twelve_leads import N_CLASSES, N_LEADS, Inception, XResNet1d50
from benchmarks.models.twelve_leads import inception, xresnet1d50
from benchmarks.speed.networks import best_batch, ours_for, plain_trainings
from ecgclf.estimators import BeatEstimator

#: Pairs of a plain network and our estimator of the same network.
NETWORKS: dict[str, tuple[type[nn.Module], BeatEstimator]] = {
    "xresnet1d50": (XResNet1d50, xresnet1d50),
    "inception network": (Inception, inception),
}

#: Recordings of almost 10 s at 100 Hz. With this length every layer of stride 2 takes an odd
#: number of samples, which torch and our networks pad alike.
N_RECORDINGS, N_SAMPLES, BATCH_SIZE = 256, 993, 64


def twelve_leads(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Train for an epoch, and predict. The recordings are noise, which takes the same time."""
    rng = np.random.default_rng(options.seed)
    X = rng.normal(size=(N_RECORDINGS, N_LEADS, N_SAMPLES)).astype(np.float32)
    y = np.arange(N_RECORDINGS) % N_CLASSES
    for name, (plain, estimator) in NETWORKS.items():
        ours = ours_for(clone(estimator).set_params(augment=None), BATCH_SIZE, 1)
        trainings = plain_trainings(plain, X, y, BATCH_SIZE, 1)
        trained = compare(partial(ours.fit, X, y), trainings, options.repeats)
        yield from rows_of(f"an epoch of {N_RECORDINGS} recordings, {name}", trained, {})
        network, tensor = plain(), torch.from_numpy(X)
        copy_weights(network, ours.net_.module_)
        expected = torch.from_numpy(logits(network, tensor, BATCH_SIZE)).softmax(dim=1)
        np.testing.assert_allclose(ours.predict_proba(X), expected, atol=1e-5)
        best = best_batch(network, tensor)
        plainly = {f"plain torch, batches of {best}": partial(logits, network, tensor, best)}
        predicted = compare(partial(ours.predict_proba, X), plainly, options.repeats)
        yield from rows_of(f"predict_proba of {N_RECORDINGS} recordings, {name}", predicted, {})
