"""From an estimator's parameters to a net and to the callbacks of one fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from skorch.callbacks import Callback
from torch import nn

from ecgclf.training._callbacks import (
    SCHEDULES,
    BatchNormStatistics,
    early_stopping,
    validation_score,
)
from ecgclf.training._device import resolve_device
from ecgclf.training._net import BeatNet
from ecgclf.training._random import derive, seeded

#: Optimizers by name, with their defaults beside the learning rate.
OPTIMIZERS: dict[str, tuple[type[torch.optim.Optimizer], dict[str, Any]]] = {
    "adam": (torch.optim.Adam, {}),
    "adamw": (torch.optim.AdamW, {"weight_decay": 0.05}),
    "sgd": (torch.optim.SGD, {"momentum": 0.9, "nesterov": True}),
}

# What the seed of a fit is used for, beside the split.
_WEIGHTS, _EPOCHS = 1, 2


def make_net(
    make_module: Callable[[], nn.Module],
    criterion: nn.Module,
    *,
    seed: int,
    device: str,
    optimizer: str | type[torch.optim.Optimizer],
    weight_decay: float | None,
    kind: type[BeatNet] = BeatNet,
) -> BeatNet:
    """Build an untrained net.

    Parameters
    ----------
    make_module : callable without arguments
        Builds the module; called as if torch had just been seeded.
    criterion : Module
        The loss, of output, target and weight.
    seed : int
    device, optimizer, weight_decay
        As in `ecgclf.estimators.BeatEstimator`.
    kind : subclass of BeatNet, default=BeatNet

    Returns
    -------
    BeatNet

    Raises
    ------
    ValueError
        If the device is unknown or not there.
    TypeError
        If `optimizer` is the class of something else.

    Examples
    --------
    >>> from ecgclf.training import CrossEntropyLoss
    >>> net = make_net(
    ...     lambda: nn.Linear(187, 5), CrossEntropyLoss(), seed=0, device="cpu",
    ...     optimizer="adamw", weight_decay=None,
    ... )
    >>> net.device
    'cpu'
    """
    found = resolve_device(device)
    if isinstance(optimizer, str):
        optimizer, options = OPTIMIZERS[optimizer]
        # One kernel for all parameters; torch has none for other devices.
        options = {**options, "fused": found.type in ("cpu", "cuda")}
    elif issubclass(optimizer, torch.optim.Optimizer):
        options = {}
    else:
        raise TypeError(
            f"optimizer={optimizer!r} is no subclass of torch.optim.Optimizer: give one, or one "
            f"of the names {sorted(OPTIMIZERS)}."
        )
    if weight_decay is not None:
        options["weight_decay"] = weight_decay
    prefixed = {f"optimizer__{name}": value for name, value in options.items()}
    return kind(
        seeded(make_module, derive(seed, _WEIGHTS)),
        criterion,
        optimizer=optimizer,
        seed=derive(seed, _EPOCHS),
        device=str(found),
        verbose=0,
        **prefixed,
    )


def fit_callbacks(
    *, lr: float, lr_schedule: str, n_steps: int, patience: int | None, accuracy: bool = True
) -> list[Callback]:
    """Build the callbacks of one fit.

    Parameters
    ----------
    lr, lr_schedule
        As in `ecgclf.estimators.BeatEstimator`.
    n_steps : int
        Batches in all epochs together.
    patience : int or None
        Epochs without improvement after which to stop; None if nothing is held out.
    accuracy : bool, default=True
        Whether to record the accuracy on what is held out: the output is that of a classifier.

    Returns
    -------
    list of skorch callbacks

    Examples
    --------
    >>> callbacks = fit_callbacks(lr=0.01, lr_schedule="cosine", n_steps=100, patience=5)
    >>> [type(callback).__name__ for callback in callbacks]
    ['Schedule', 'EpochScoring', 'EarlyStopping', 'BatchNormStatistics']
    """
    callbacks: list[Callback] = []
    if lr_schedule != "constant":
        monitor = "train_loss" if patience is None else "valid_loss"
        callbacks.append(SCHEDULES[lr_schedule](lr, n_steps, monitor))
    if patience is not None:
        if accuracy:
            callbacks.append(validation_score())
        callbacks.append(early_stopping(patience))
    # After early stopping, which puts the best weights back.
    return [*callbacks, BatchNormStatistics()]
