"""Callbacks of a training run: schedules, batch norm statistics, unfreezing, progress."""

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


class AfterEpoch(Callback):
    """Callback that calls a function after every epoch.

    An exception raised by the function ends the training and is raised by `fit`. A search can
    prune trials in this way.

    Parameters
    ----------
    tell : function
        Function of the number of the epoch, counted from 1, and of its figures: a dict with
        ``train_loss``, ``lr`` and the values recorded by other callbacks.

    Notes
    -----
    `clone` copies the objects that callbacks hold, but not functions. Pass a function instead of
    a method if the object must be the same in clones.

    Examples
    --------
    >>> from ecgclf import ECGMLPClassifier
    >>> from ecgclf.datasets import make_beats
    >>> from ecgclf.training import AfterEpoch
    >>> X, y = make_beats(n_beats=100, random_state=0, return_X_y=True)
    >>> seen = []
    >>> callback = AfterEpoch(lambda epoch, figures: seen.append(epoch))
    >>> model = ECGMLPClassifier(max_epochs=3, callbacks=[callback], random_state=0).fit(X, y)
    >>> seen
    [1, 2, 3]
    """

    def __init__(self, tell: Callable[[int, dict[str, Any]], None]) -> None:
        self.tell = tell

    def on_epoch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Call the function with the figures of the epoch."""
        figures = {
            name: value
            for name, value in net.history[-1].items()
            if isinstance(value, (int, float)) and not isinstance(value, bool)
        }
        self.tell(len(net.history), figures)


class LearningRate(Callback):
    """Callback that records the learning rate of each epoch's last batch as ``lr``.

    It must precede the schedule, which sets the rate of the next batch.
    """

    def on_batch_end(self, net: NeuralNet, training: bool = False, **kwargs: Any) -> None:
        """Read the rate of the first parameter group."""
        if training:
            self.lr_ = net.optimizer_.param_groups[0]["lr"]

    def on_epoch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Record the rate."""
        net.history.record("lr", self.lr_)


class ValidationScore(Callback):
    """Callback that records a score of the validation rows as ``valid_score``.

    Parameters
    ----------
    score : callable
        Function of the validation rows.
    """

    def __init__(self, score: Callable[[Any], float] | None) -> None:
        self.score = score

    def on_epoch_end(self, net: NeuralNet, dataset_valid: Any = None, **kwargs: Any) -> None:
        """Compute and record the score."""
        if self.score is not None:
            net.history.record("valid_score", self.score(dataset_valid))

    def __getstate__(self) -> dict:
        return {"score": None}  # it belongs to one fit of one estimator


class Schedule(Callback):
    """Callback that steps a learning-rate scheduler of torch and restarts it with every fit.

    skorch's LRScheduler continues at the end of the history, which is wrong for a warm start.

    Parameters
    ----------
    make : callable
        Function from an optimizer to a scheduler.
    monitor : str, optional
        Name of the figure in the history that the scheduler gets after every epoch. Default:
        step after every training batch.
    """

    def __init__(self, make: Callable[[Optimizer], Any], monitor: str | None = None) -> None:
        self.make = make
        self.monitor = monitor

    def on_train_begin(self, net: NeuralNet, **kwargs: Any) -> None:
        """Make the scheduler."""
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
        """Get the state of the scheduler."""
        return self.scheduler_.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Set the state of the scheduler."""
        self.scheduler_.load_state_dict(state)

    def __getstate__(self) -> dict:
        # The scheduler refers to the optimizer and all parameters, on any device.
        return {"make": self.make, "monitor": self.monitor}


class BatchNormStatistics(Callback):
    """Callback that measures the statistics of the batch norms at the end of training.

    During training they are running means: after few steps these still depend on their initial
    values, and later only on the last batches. Predictions are better with means over many
    batches at the final weights (Wu and Johnson 2021, arXiv:2105.07576).

    Parameters
    ----------
    n_batches : int, default=50
        Largest number of training batches to use.
    """

    def __init__(self, n_batches: int = 50) -> None:
        self.n_batches = n_batches

    def on_train_end(self, net: NeuralNet, X: Any = None, **kwargs: Any) -> None:
        """Pass training batches through the network without training on them."""
        net.module_.train()
        # Frozen batch norms are not in training mode and keep their statistics. torch's
        # update_bn would reset them too.
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
            norm.momentum = None  # the mean over all batches
        batches = net.get_iterator(X, training=True)
        with torch.no_grad():
            for x, _ in islice(batches, self.n_batches):
                net.infer(x)
        for norm, momentum in zip(norms, momenta):
            norm.momentum = momentum


class GradualUnfreezing(Callback):
    """Callback that unfreezes the encoder of the module layer by layer, from the last one.

    The module needs an ``encoder`` with ``n_layers`` and ``freeze``, such as
    `ecgclf.modules.PretrainedEncoder`.

    Parameters
    ----------
    n_epochs : int
        Number of epochs of the fit. All layers are frozen in the first, none in the last.

    Notes
    -----
    Howard and Ruder, "Universal language model fine-tuning for text classification", ACL 2018
    (arXiv:1801.06146).

    Examples
    --------
    >>> [GradualUnfreezing(4).frozen(9, epoch) for epoch in (1, 2, 3, 4)]
    [9, 6, 3, 0]
    """

    def __init__(self, n_epochs: int) -> None:
        self.n_epochs = n_epochs

    def frozen(self, n_layers: int, epoch: int) -> int:
        """Compute how many of `n_layers` are frozen in an epoch, counted from 1."""
        if epoch >= self.n_epochs:
            return 0
        return round(n_layers * (self.n_epochs - epoch) / (self.n_epochs - 1))

    def on_train_begin(self, net: NeuralNet, **kwargs: Any) -> None:
        """Count the epochs of earlier fits."""
        self.before_ = len(net.history)
        self.encoder_ = net.module_.encoder

    def on_epoch_begin(self, net: NeuralNet, **kwargs: Any) -> None:
        """Freeze the layers of the epoch."""
        self._freeze(len(net.history) - self.before_)

    def on_epoch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Count the epochs of this fit."""
        self.n_done_ = len(net.history) - self.before_

    def state_dict(self) -> dict[str, Any]:
        """Get the number of epochs of earlier fits and of this one."""
        return {"before": self.before_, "n_done": self.n_done_}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Freeze the layers of the last epoch."""
        self.before_ = state["before"]
        self._freeze(state["n_done"])

    def _freeze(self, epoch: int) -> None:
        self.encoder_.freeze(self.frozen(self.encoder_.n_layers, epoch))

    def __getstate__(self) -> dict:
        # The encoder belongs to the net, on any device.
        return {"n_epochs": self.n_epochs}


class Progress(Callback):
    """Progress bar over the epochs, shown on terminals only.

    Parameters
    ----------
    total : int
        Number of epochs.
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
        """Advance by one epoch and show the latest losses."""
        newest = net.history[-1]
        shown = ("train_loss", "valid_loss", "valid_score")
        self.bar_.set_postfix({name: f"{newest[name]:.4f}" for name in shown if name in newest})
        self.n_done_ += 1
        self.bar_.update()

    def on_train_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Close the bar."""
        self.bar_.close()

    def state_dict(self) -> dict[str, Any]:
        """Get the number of finished epochs."""
        return {"n_done": self.n_done_}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Advance by the epochs that were finished before an interruption."""
        self.n_done_ = state["n_done"]
        self.bar_.update(self.n_done_)

    def __getstate__(self) -> dict:
        return {"total": self.total}


def one_cycle(lr: float, n_steps: int, monitor: str) -> Schedule:
    """Warm up to `lr` and anneal to nearly 0 (Smith and Topin 2017, arXiv:1708.07120)."""
    return Schedule(partial(_one_cycle, max_lr=lr, total_steps=n_steps))


def _one_cycle(optimizer: Optimizer, **kwargs: Any) -> OneCycleLR:
    """Cycle the momentum too if the optimizer has one."""
    has_momentum = not {"momentum", "betas"}.isdisjoint(optimizer.defaults)
    return OneCycleLR(optimizer, cycle_momentum=has_momentum, **kwargs)


def cosine(lr: float, n_steps: int, monitor: str) -> Schedule:
    """Anneal from `lr` to 0 on half a cosine (Loshchilov and Hutter 2017, arXiv:1608.03983)."""
    return Schedule(partial(CosineAnnealingLR, T_max=n_steps))


def plateau(lr: float, n_steps: int, monitor: str) -> Schedule:
    """Divide the rate by 10 when `monitor` has not improved for 3 epochs."""
    return Schedule(partial(ReduceLROnPlateau, patience=3), monitor)


#: Learning-rate schedules by name; "constant" needs no callback.
SCHEDULES = {"one_cycle": one_cycle, "cosine": cosine, "plateau": plateau}


def fit_callbacks(
    *,
    lr: float,
    lr_schedule: str,
    n_steps: int,
    patience: int | None,
    accuracy: bool = True,
    score: Callable[[Any], float] | None = None,
    stop_on_score: bool = False,
) -> list[Callback]:
    """Build the callbacks of one fit.

    Parameters
    ----------
    lr, lr_schedule
        Parameters of `ecgclf.estimators.BeatEstimator`.
    n_steps : int
        Number of batches in all epochs.
    patience : int or None
        Number of epochs without improvement before early stopping. None means no validation.
    accuracy : bool, default=True
        Whether to record the accuracy on the validation rows as ``valid_score``.
    score : callable, optional
        Function of the validation rows to record instead.
    stop_on_score : bool, default=False
        Whether early stopping waits for a higher score. By default it waits for a lower loss.

    Returns
    -------
    list of skorch callbacks
        The callbacks, in order.
    """
    callbacks: list[Callback] = []
    if lr_schedule != "constant":
        monitor = "train_loss" if patience is None else "valid_loss"
        callbacks.append(SCHEDULES[lr_schedule](lr, n_steps, monitor))
    if patience is not None:
        if score is not None:
            callbacks.append(ValidationScore(score))
        elif accuracy:
            callbacks.append(EpochScoring("accuracy", lower_is_better=False, name="valid_score"))
        callbacks.append(
            EarlyStopping(
                "valid_score" if stop_on_score else "valid_loss",
                patience=patience,
                lower_is_better=not stop_on_score,
                load_best=True,
                sink=_ignore,
            )
        )
    # After early stopping, which restores the best weights.
    return [*callbacks, BatchNormStatistics()]


def _ignore(text: str) -> None:
    """Discard a message of skorch's."""


def check_callbacks(callbacks: Sequence[Any]) -> None:
    """Check that all items are skorch callbacks, or pairs of a name and a callback.

    Parameters
    ----------
    callbacks : sequence
        Callbacks as given by a user.

    Raises
    ------
    TypeError
        If an item is something else.
    """
    for item in callbacks:
        callback = item[1] if isinstance(item, (tuple, list)) and len(item) == 2 else item
        is_class = isinstance(callback, type) and issubclass(callback, Callback)
        if not (is_class or isinstance(callback, Callback)):
            raise TypeError(
                f"callbacks contains {item!r}, expected skorch callbacks, or pairs of a name and "
                "a callback."
            )


#: Entries of skorch's history that are not figures of the training.
_BOOKKEEPING = ("batches", "train_batch_count", "valid_batch_count")


def history_frame(history: History) -> pd.DataFrame:
    """Convert skorch's history to a table with one row per epoch.

    The table has at least the columns ``epoch, train_loss, lr, time``.
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
