"""Callbacks of a training run: schedules, batch norm statistics, unfreezing, progress."""

from __future__ import annotations

import multiprocessing
import sys
import threading
from collections.abc import Callable, Sequence
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

#: Learning-rate schedules that need a callback, unlike "constant".
SCHEDULES = ("one_cycle", "cosine", "plateau")


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
        if training:
            self.lr_ = net.optimizer_.param_groups[0]["lr"]

    def on_epoch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        net.history.record("lr", self.lr_)


class ValidationScore(Callback):
    """Callback that records a score of the validation rows as ``valid_score``."""

    def __init__(self, score: Callable[[Any], float] | None) -> None:
        self.score = score

    def on_epoch_end(self, net: NeuralNet, dataset_valid: Any = None, **kwargs: Any) -> None:
        if self.score is not None:
            net.history.record("valid_score", self.score(dataset_valid))

    def __getstate__(self) -> dict:
        return {"score": None}  # it belongs to one fit of one estimator


class Schedule(Callback):
    """Callback that steps a learning-rate scheduler of torch and restarts it with every fit.

    skorch's LRScheduler continues at the end of the history, which is wrong for a warm start.
    Of the names in `SCHEDULES`, "plateau" watches the figure `monitor` of the history after every
    epoch, and the others step after each of `n_steps` training batches.
    """

    def __init__(self, name: str, lr: float, n_steps: int, monitor: str) -> None:
        self.name = name
        self.lr = lr
        self.n_steps = n_steps
        self.monitor = monitor

    def on_train_begin(self, net: NeuralNet, **kwargs: Any) -> None:
        self.scheduler_ = self._make_scheduler(net.optimizer_)

    def _make_scheduler(self, optimizer: Optimizer) -> Any:
        if self.name == "plateau":
            return ReduceLROnPlateau(optimizer, patience=3)
        if self.name == "cosine":  # Loshchilov and Hutter 2017, arXiv:1608.03983
            return CosineAnnealingLR(optimizer, self.n_steps)
        # Smith and Topin 2017, arXiv:1708.07120
        has_momentum = not {"momentum", "betas"}.isdisjoint(optimizer.defaults)
        return OneCycleLR(optimizer, self.lr, self.n_steps, cycle_momentum=has_momentum)

    def on_batch_end(self, net: NeuralNet, training: bool = False, **kwargs: Any) -> None:
        if training and self.name != "plateau":
            self.scheduler_.step()

    def on_epoch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        if self.name == "plateau":
            self.scheduler_.step(net.history[-1, self.monitor])

    def state_dict(self) -> dict[str, Any]:
        return self.scheduler_.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.scheduler_.load_state_dict(state)

    def __getstate__(self) -> dict:
        # The scheduler refers to the optimizer and all parameters, on any device.
        return {name: value for name, value in vars(self).items() if name != "scheduler_"}


class BatchNormStatistics(Callback):
    """Callback that measures the statistics of the batch norms at the end of training.

    During training they are running means: after few steps these still depend on their initial
    values, and later only on the last batches. Predictions are better with means over many
    batches at the final weights (Wu and Johnson 2021, arXiv:2105.07576).
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

    All layers are frozen in the first of `n_epochs`, none in the last: Howard and Ruder,
    "Universal language model fine-tuning for text classification", ACL 2018 (arXiv:1801.06146).

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
        if len(net.history) > net.n_earlier_epochs_:  # resumed, perhaps after the last epoch
            self.on_epoch_begin(net)

    def on_epoch_begin(self, net: NeuralNet, **kwargs: Any) -> None:
        encoder, epoch = net.module_.encoder, len(net.history) - net.n_earlier_epochs_
        encoder.freeze(self.frozen(encoder.n_layers, epoch))


class Progress(Callback):
    """Progress bar over the epochs, shown on terminals only."""

    def __init__(self, n_epochs: int) -> None:
        self.n_epochs = n_epochs

    def on_train_begin(self, net: NeuralNet, **kwargs: Any) -> None:
        # The bars of several workers would overwrite each other.
        alone = (
            multiprocessing.parent_process() is None
            and threading.current_thread() is threading.main_thread()
        )
        self.bar_ = tqdm(
            initial=len(net.history) - net.n_earlier_epochs_,
            total=self.n_epochs,
            unit="epoch",
            disable=not (alone and sys.stderr.isatty()),
        )

    def on_epoch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Advance by one epoch and show the latest losses."""
        newest = net.history[-1]
        shown = ("train_loss", "valid_loss", "valid_score")
        self.bar_.set_postfix({name: f"{newest[name]:.4f}" for name in shown if name in newest})
        self.bar_.update()

    def on_train_end(self, net: NeuralNet, **kwargs: Any) -> None:
        self.bar_.close()

    def __getstate__(self) -> dict:
        return {"n_epochs": self.n_epochs}


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
    """Build the callbacks of one fit of `n_steps` batches, in order.

    A `patience` of None means no validation. ``valid_score`` is `score` of the validation rows,
    or the accuracy. Early stopping waits for a lower loss, with `stop_on_score` for a higher
    score.
    """
    callbacks: list[Callback] = []
    if lr_schedule != "constant":
        monitor = "train_loss" if patience is None else "valid_loss"
        callbacks.append(Schedule(lr_schedule, lr, n_steps, monitor))
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
            )
        )
    # After early stopping, which restores the best weights.
    return [*callbacks, BatchNormStatistics()]


def check_callbacks(callbacks: Sequence[Any]) -> None:
    """Check that all items are skorch callbacks, or pairs of a name and a callback."""
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
