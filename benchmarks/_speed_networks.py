"""Training and prediction against plain torch and plain skorch."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import torch
from _pairs import compare, rows_of, timed
from _plain_torch import (
    PlainDeepCNN,
    SmallCNN,
    logits,
    take_weights,
    train_on_slices,
    train_with_loader,
)
from _speed_data import some_beats
from published_networks import plain_deep_cnn, small_cnn
from sklearn.base import clone
from skorch import NeuralNetClassifier
from torch import nn

from ecgclf.estimators import BeatEstimator

#: Plain network, and ours with the parameters of the same one.
NETWORKS: dict[str, tuple[type[nn.Module], BeatEstimator]] = {
    "plain deep CNN (2)": (PlainDeepCNN, plain_deep_cnn),
    "small CNN with batch norm (4)": (SmallCNN, small_cnn[-1]),
}
BATCH_SIZES = (32, 128, 512)
LR = 1e-3

REACH_TRAINING = {
    "plain torch, slices": 0.80,
    "plain torch, DataLoader": 0.70,
    "plain skorch": 0.70,
}


def ours_for(estimator: BeatEstimator, batch_size: int, epochs: int) -> BeatEstimator:
    """Give ours the training of the plain loops."""
    return clone(estimator).set_params(
        optimizer="adam",
        lr=LR,
        lr_schedule="constant",
        class_weight=None,
        early_stopping=False,
        batch_size=batch_size,
        max_epochs=epochs,
        random_state=0,
        verbose=0,
    )


def training(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Train for some epochs; ours is a whole `fit`, checks and all."""
    X, y = some_beats(options, options.beats)
    for name, (plain, estimator) in NETWORKS.items():
        for batch_size in BATCH_SIZES:
            ours = ours_for(estimator, batch_size, options.epochs)
            summary = compare(
                lambda model=ours: model.fit(X, y),
                plain_trainings(plain, X, y, batch_size, options.epochs),
                options.repeats,
            )
            what = f"{options.epochs} epochs of the {name}, batches of {batch_size}"
            yield from rows_of(what, summary, REACH_TRAINING)


def plain_trainings(
    plain: type[nn.Module], X: np.ndarray, y: np.ndarray, batch_size: int, epochs: int
) -> dict[str, Callable[[], Any]]:
    """Give what trains a network without this library."""
    codes = np.unique(y, return_inverse=True)[1]
    tensors = torch.from_numpy(X), torch.from_numpy(codes)
    how = {"batch_size": batch_size, "epochs": epochs, "lr": LR}
    skorch_net = NeuralNetClassifier(
        plain,
        criterion=nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        lr=LR,
        batch_size=batch_size,
        max_epochs=epochs,
        iterator_train__shuffle=True,
        train_split=None,
        verbose=0,
    )
    return {
        "plain torch, slices": lambda: train_on_slices(plain(), *tensors, **how),
        "plain torch, DataLoader": lambda: train_with_loader(plain(), *tensors, **how),
        "plain skorch": lambda: skorch_net.fit(X, codes),
    }


def prediction(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Predict for many beats, against the bare forward pass at its best batch size."""
    X, y = some_beats(options, options.predictions)
    tensor = torch.from_numpy(X)
    few = tensor[:4096]
    for name, (plain, estimator) in NETWORKS.items():
        ours = ours_for(estimator, 128, 1).fit(X[:2000], y[:2000])
        network = plain()
        take_weights(network, ours.net_.module_)
        expected = torch.from_numpy(logits(network, few, 256)).softmax(dim=1)
        np.testing.assert_allclose(ours.predict_proba(few.numpy()), expected, atol=1e-5)
        best = best_batch(network, few)
        against = f"plain torch, batches of {best}"
        summary = compare(
            lambda model=ours: model.predict_proba(X),
            {against: lambda net=network, size=best: logits(net, tensor, size)},
            options.repeats,
        )
        what = f"predict_proba of {len(X):,} beats, {name}"
        yield from rows_of(what, summary, {against: 0.75})


def best_batch(network: nn.Module, few: torch.Tensor) -> int:
    """Find the batch size with which a plain network predicts in the least time."""
    seconds = {
        size: np.median([timed(partial(logits, network, few, size))[1] for _ in range(3)])
        for size in (32, 64, 128, 256, 512, 1024, 4096)
    }
    return min(seconds, key=seconds.__getitem__)
