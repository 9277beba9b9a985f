"""Training and prediction compared with plain torch, plain skorch and the hardware limits."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import torch
from sklearn.base import clone
from skorch import NeuralNetClassifier
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.common.data import some_beats
from benchmarks.common.timing import compare, rows_of, timed
from benchmarks.models.plain_torch import (
    PlainDeepCNN,
    SmallCNN,
    copy_weights,
    logits,
    train_on_slices,
    train_with_loader,
)
from benchmarks.models.published import plain_deep_cnn, small_cnn
from ecgclf.estimators import BeatEstimator

#: Pairs of a plain network and our estimator of the same network.
NETWORKS: dict[str, tuple[type[nn.Module], BeatEstimator]] = {
    "plain deep CNN (2)": (PlainDeepCNN, plain_deep_cnn),
    "small CNN with batch norm (4)": (SmallCNN, small_cnn[-1]),
}
BATCH_SIZES = (32, 128, 512)
LR = 1e-3

#: Number of beats for which operations and bytes are counted.
N_COUNTED = 256

REACH_TRAINING = {
    "plain torch, slices": 0.80,
    "plain torch, DataLoader": 0.70,
    "plain skorch": 0.70,
}


def ours_for(estimator: BeatEstimator, batch_size: int, epochs: int) -> BeatEstimator:
    """Set the training parameters of the plain loops."""
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
    """Train for some epochs. Ours is a complete `fit`, including input checks."""
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
    """Return functions that train a network without this library."""
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
    """Predict many beats, compared with a plain forward pass at its best batch size."""
    X, y = some_beats(options, options.predictions)
    tensor = torch.from_numpy(X)
    few = tensor[:4096]
    for name, (plain, estimator) in NETWORKS.items():
        ours = ours_for(estimator, 128, 1).fit(X[:2000], y[:2000])
        network = plain()
        copy_weights(network, ours.net_.module_)
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


def best_batch(network: nn.Module, few: Tensor) -> int:
    """Find the batch size with which a plain network predicts fastest."""
    seconds = {
        size: np.median([timed(partial(logits, network, few, size))[1] for _ in range(3)])
        for size in (32, 64, 128, 256, 512, 1024, 4096)
    }
    return min(seconds, key=seconds.__getitem__)


def seconds(act: Callable[[], Any], repeats: int) -> float:
    """Measure the median CPU time in s."""
    act()
    return float(np.median([timed(act)[1] for _ in range(repeats)]))


def rate_of_arithmetic(repeats: int) -> float:
    """Measure operations per second in a convolution with many channels.

    Matrix products reach only half of this rate in some libraries.
    """
    layer = nn.Conv2d(256, 256, (1, 3), padding=(0, 1)).to(memory_format=torch.channels_last)
    x = torch.randn(64, 256, 1, 64).contiguous(memory_format=torch.channels_last)
    with torch.no_grad():
        return 2 * 256 * 256 * 3 * 64 * 64 / seconds(lambda: layer(x), repeats)


def rate_of_copies(repeats: int) -> float:
    """Measure bytes read and written per second in a copy larger than the caches."""
    source = torch.zeros(32 * 2**20)
    target = torch.empty_like(source)
    return 2 * source.nbytes / seconds(lambda: target.copy_(source), repeats)


def operations(network: nn.Module, x: Tensor, *, train: bool) -> float:
    """Count the floating-point operations per beat."""
    with FlopCounterMode(display=False) as counter:
        out = network(x)
        if train:
            out.sum().backward()
    return counter.get_total_flops() / len(x)


def bytes_moved(network: nn.Module, x: Tensor) -> float:
    """Count the bytes per beat that the layers read and write in one pass each."""
    moved = []

    def look(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        moved.append(inputs[0].nbytes + output.nbytes)

    leaves = [m for m in network.modules() if not list(m.children())]
    hooks = [leaf.register_forward_hook(look) for leaf in leaves]
    network(x)
    for hook in hooks:
        hook.remove()
    return sum(moved) / len(x)


def floor(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Compare the time per beat with the minimum for its operations and memory traffic."""
    X, y = some_beats(options, options.beats)
    x = torch.from_numpy(X[:N_COUNTED])
    arithmetic, copies = rate_of_arithmetic(options.repeats), rate_of_copies(options.repeats)
    for name, (_, estimator) in NETWORKS.items():
        ours = ours_for(estimator, 128, options.epochs)
        training = seconds(partial(ours.fit, X, y), options.repeats) / options.epochs
        prediction = seconds(partial(ours.predict_proba, X), options.repeats)
        network = ours.net_.module_.eval()
        for what, took, passes in (("training", training, 3), ("prediction", prediction, 1)):
            flop = operations(network, x, train=passes == 3)
            moved = bytes_moved(network, x) * passes
            yield {
                "what": f"{what}, {name}",
                "mflop": round(flop / 1e6, 2),
                "mbyte": round(moved / 1e6, 2),
                "microseconds_arithmetic": round(flop / arithmetic * 1e6, 1),
                "microseconds_memory": round(moved / copies * 1e6, 1),
                "microseconds": round(took / len(X) * 1e6, 1),
                "gflop_per_s": round(arithmetic / 1e9, 1),
                "gbyte_per_s": round(copies / 1e9, 1),
            }
