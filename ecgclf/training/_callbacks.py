"""What happens around the epochs: schedules, early stopping, progress."""

from __future__ import annotations

import multiprocessing
import sys
import threading
from collections.abc import Callable, Sequence
from functools import partial
from itertools import islice
from typing import Any

import pandas as pd
import torch
from skorch import NeuralNet
from skorch.callbacks import Callback, EarlyStopping, EpochScoring
from skorch.history import History
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import CosineAnnealingLR, OneCycleLR, ReduceLROnPlateau
from tqdm.auto import tqdm


class LearningRate(Callback):
    """Record the learning rate of each epoch's last batch as ``lr``.

    Must stand before the schedule, which sets the rate of the next batch.

    Examples
    --------
    >>> check_callbacks([LearningRate()])
    """

    def on_batch_end(self, net: NeuralNet, training: bool = False, **kwargs: Any) -> None:
        """Look at the first parameter group."""
        if training:
            self.lr_ = net.optimizer_.param_groups[0]["lr"]

    def on_epoch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Write the rate into the history."""
        net.history.record("lr", self.lr_)


class Schedule(Callback):
    """Move the learning rate; begins anew with every fit.

    skorch's own callback takes up where the history ends, which is wrong for a warm start.

    Parameters
    ----------
    make : callable
        From an optimizer to a scheduler of torch.
    monitor : str, optional
        Step after every epoch, and tell the scheduler this figure of the history. If not
        given, step after every training batch.
    """

    def __init__(self, make: Callable[[Optimizer], Any], monitor: str | None = None) -> None:
        self.make = make
        self.monitor = monitor

    def on_train_begin(self, net: NeuralNet, **kwargs: Any) -> None:
        """Start the schedule."""
        self.scheduler_ = self.make(net.optimizer_)

    def on_batch_end(self, net: NeuralNet, training: bool = False, **kwargs: Any) -> None:
        """Set the rate of the next batch."""
        if training and self.monitor is None:
            self.scheduler_.step()

    def on_epoch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Set the rate of the next epoch."""
        if self.monitor is not None:
            self.scheduler_.step(net.history[-1, self.monitor])

    def state_dict(self) -> dict[str, Any]:
        """Get where the schedule stands."""
        return self.scheduler_.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there."""
        self.scheduler_.load_state_dict(state)

    def __getstate__(self) -> dict:
        # A scheduler holds the optimizer and with it all parameters, on whatever device.
        return {"make": self.make, "monitor": self.monitor}


class BatchNormStatistics(Callback):
    """Measure the statistics of the batch norms anew when the training ends.

    While training, they are running means, which after a few dozen steps still remember what
    they started from, and later the last ten batches or so. The mean over many batches at the
    final weights is what a prediction should use (Wu and Johnson 2021, arXiv:2105.07576).

    Parameters
    ----------
    n_batches : int, default=50
        Largest number of training batches to look at.

    Examples
    --------
    >>> callbacks = [LearningRate(), BatchNormStatistics(n_batches=100)]
    """

    def __init__(self, n_batches: int = 50) -> None:
        self.n_batches = n_batches

    def on_train_end(self, net: NeuralNet, X: Any = None, **kwargs: Any) -> None:
        """Pass training batches through the network without learning from them."""
        net.module_.train()
        # What is not in training mode now is frozen and keeps its statistics. torch's own
        # update_bn would reset it too.
        norms = [
            module
            for module in net.module_.modules()
            if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)) and module.training
        ]
        if not norms:
            return
        momenta = [norm.momentum for norm in norms]
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None  # the plain mean over all batches
        batches = net.get_iterator(X, training=True)
        with torch.no_grad():
            for x, _ in islice(batches, self.n_batches):
                net.infer(x)
        for norm, momentum in zip(norms, momenta):
            norm.momentum = momentum


class Progress(Callback):
    """A progress bar over the epochs, on a terminal and nowhere else.

    Parameters
    ----------
    total : int
        Number of epochs.

    Examples
    --------
    >>> callbacks = [LearningRate(), Progress(total=10)]
    """

    def __init__(self, total: int) -> None:
        self.total = total

    def on_train_begin(self, net: NeuralNet, **kwargs: Any) -> None:
        """Open the bar."""
        self.n_done_ = 0
        # The bars of several workers would overwrite each other.
        alone = (
            multiprocessing.parent_process() is None
            and threading.current_thread() is threading.main_thread()
        )
        self.bar_ = tqdm(
            total=self.total, unit="epoch", disable=not (alone and sys.stderr.isatty())
        )

    def on_epoch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Move on by one epoch and show the newest losses."""
        newest = net.history[-1]
        shown = ("train_loss", "valid_loss", "valid_score")
        self.bar_.set_postfix({name: f"{newest[name]:.4f}" for name in shown if name in newest})
        self.n_done_ += 1
        self.bar_.update()

    def on_train_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Close the bar."""
        self.bar_.close()

    def state_dict(self) -> dict[str, Any]:
        """Get the number of epochs of this fit."""
        return {"n_done": self.n_done_}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Show the epochs that were done before the fit was broken off."""
        self.n_done_ = state["n_done"]
        self.bar_.update(self.n_done_)

    def __getstate__(self) -> dict:
        return {"total": self.total}


def one_cycle(lr: float, n_steps: int, monitor: str) -> Schedule:
    """Warm up to `lr` and anneal to nearly 0 (Smith and Topin 2017, arXiv:1708.07120)."""
    return Schedule(partial(_one_cycle, max_lr=lr, total_steps=n_steps))


def _one_cycle(optimizer: Optimizer, **kwargs: Any) -> OneCycleLR:
    """Cycle the momentum too, where the optimizer has one."""
    has_momentum = not {"momentum", "betas"}.isdisjoint(optimizer.defaults)
    return OneCycleLR(optimizer, cycle_momentum=has_momentum, **kwargs)


def cosine(lr: float, n_steps: int, monitor: str) -> Schedule:
    """Half a cosine from `lr` to 0 (Loshchilov and Hutter 2017, arXiv:1608.03983)."""
    return Schedule(partial(CosineAnnealingLR, T_max=n_steps))


def plateau(lr: float, n_steps: int, monitor: str) -> Schedule:
    """Divide the rate by 10 when `monitor` has not improved for 3 epochs."""
    return Schedule(partial(ReduceLROnPlateau, patience=3), monitor)


#: Learning-rate schedules by name; "constant" needs no callback.
SCHEDULES = {"one_cycle": one_cycle, "cosine": cosine, "plateau": plateau}


def check_callbacks(callbacks: Sequence[Any]) -> None:
    """Check that these are callbacks, each alone or with its name.

    Parameters
    ----------
    callbacks : sequence

    Raises
    ------
    TypeError
        If one is not.

    Examples
    --------
    >>> check_callbacks([LearningRate(), ("rate", LearningRate())])
    """
    for item in callbacks:
        callback = item[1] if isinstance(item, (tuple, list)) and len(item) == 2 else item
        is_class = isinstance(callback, type) and issubclass(callback, Callback)
        if not (is_class or isinstance(callback, Callback)):
            raise TypeError(
                f"callbacks holds {item!r}, expected skorch callbacks or pairs of a name and one."
            )


def validation_score() -> Callback:
    """Record the accuracy on the validation rows as ``valid_score``."""
    return EpochScoring("accuracy", lower_is_better=False, name="valid_score")


def early_stopping(patience: int) -> Callback:
    """End when the validation loss has not improved; go back to the best weights."""
    return EarlyStopping("valid_loss", patience=patience, load_best=True, sink=_quiet)


def _quiet(text: str) -> None:
    """Swallow what skorch would print."""


#: Entries of skorch's history that say nothing about how the training went.
_BOOKKEEPING = ("batches", "train_batch_count", "valid_batch_count")


def history_frame(history: History) -> pd.DataFrame:
    """Turn skorch's history into a table.

    Parameters
    ----------
    history : History

    Returns
    -------
    DataFrame
        A row an epoch, with at least the columns ``epoch, train_loss, lr, time``.

    Examples
    --------
    >>> history = History([{"epoch": 1, "train_loss": 0.5, "lr": 0.01, "dur": 2.0}])
    >>> history_frame(history)
       epoch  train_loss    lr  time
    0      1         0.5  0.01   2.0
    """
    frame = pd.DataFrame(
        [
            {k: v for k, v in row.items() if k not in _BOOKKEEPING and not k.endswith("_best")}
            for row in history
        ]
    ).rename(columns={"dur": "time"})
    first = ["epoch", "train_loss", "valid_loss", "valid_score", "lr", "time"]
    always = {"epoch", "train_loss", "lr", "time"}
    columns = [name for name in first if name in frame or name in always]
    columns += [str(name) for name in frame if name not in first]
    return frame.reindex(columns=columns)
