"""Base of all estimators: the parameters of a training run, and the run."""

from __future__ import annotations

import copy
import functools
import os
import traceback
import warnings
from abc import ABCMeta, abstractmethod
from collections.abc import Callable, Sequence
from numbers import Integral
from typing import Annotated, Any, ClassVar, Concatenate, Literal, ParamSpec, TypeVar

import numpy as np
from sklearn.base import is_classifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils._param_validation import Interval
from torch import nn
from torch.optim import Optimizer

from ecgclf import training
from ecgclf._parameters import (
    Fraction,
    KeywordParameterized,
    NotNegativeFloat,
    NotNegativeInt,
    PositiveFloat,
    PositiveInt,
    RandomState,
)
from ecgclf._validation import POSITIVE_INTEGER
from ecgclf.augmentation import Augmentation, OnSignals
from ecgclf.estimators._fit_checkpoint import FitCheckpoint
from ecgclf.estimators._per_layer import is_sequence
from ecgclf.estimators._saving import SavableEstimator

S = TypeVar("S")
P = ParamSpec("P")
R = TypeVar("R")


#: Packages whose functions use an estimator that they have fitted, without its user.
_SEARCHES = ("joblib.", "optuna.", "sklearn.model_selection.", "ecgclf.search.", "ecgclf.cli.")


def _is_part_of_a_search() -> bool:
    """Return whether a search, a cross-validation or the command line called `fit`."""
    names = (frame.f_globals.get("__name__", "") for frame, _ in traceback.walk_stack(None))
    return any(name.startswith(_SEARCHES) for name in names)


def all_or_nothing(
    method: Callable[Concatenate[S, P], R],
) -> Callable[Concatenate[S, P], R]:
    """Restore the attributes of an estimator if a method raises an error.

    Otherwise an estimator whose second `fit` fails would have ``n_features_in_`` and
    ``classes_`` of the new data and the network of the old data. Changes inside an attribute,
    such as the weights of a network that is trained further, are not undone.
    """

    @functools.wraps(method)
    def guarded(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        before = dict(vars(self))
        try:
            return method(self, *args, **kwargs)
        except BaseException:
            vars(self).clear()
            vars(self).update(before)
            raise

    return guarded


class BeatEstimator(KeywordParameterized, SavableEstimator, metaclass=ABCMeta):
    """Base of all estimators: a network that is trained on beats.

    Parameters
    ----------
    max_epochs : int, default=10
        Number of passes over the training beats.
    batch_size : int, default=256
        Number of beats in a training batch; the last batch of an epoch may be smaller.
    lr : float, default=1e-2
        Learning rate. With a schedule, the highest learning rate.
    weight_decay : float or None, default=None
        Weight decay, as defined by `optimizer`. None is 0.05 for "adamw", whose decay is
        decoupled from the gradient, and 0 for the others.
    optimizer : {"adam", "adamw", "sgd"} or Optimizer class, default="adamw"
        Optimizer of torch. "sgd" uses Nesterov momentum 0.9. A class is called with the
        parameters, ``lr`` and ``weight_decay``.
    lr_schedule : {"constant", "one_cycle", "cosine", "plateau"}, default="one_cycle"
        Schedule of the learning rate. "one_cycle" raises it to `lr` and lowers it to nearly 0,
        "cosine" lowers it to 0, and "plateau" divides it by 10 when the loss has not improved
        for 3 epochs.
    early_stopping : bool, default=False
        Hold out a part of the training beats, stop when the loss on it has not improved for
        `n_iter_no_change` epochs, and restore the best weights.
    validation_fraction : float, default=0.1
        Fraction of the beats to hold out for early stopping, or of the patients if `fit` is
        given `groups`.
    n_iter_no_change : int, default=10
        Number of epochs without improvement after which early stopping ends the training.
    n_leads : int or None, default=None
        Number of leads. None takes it from 3-D `X`, and means 1 for 2-D `X`.
    n_tabular : int, default=0
        Number of per-beat features in the last columns of a 2-D `X`. They join the network
        after its signal part. They are not scaled.
    max_grad_norm : float or None, default=None
        Largest norm (L2) of the gradient of all parameters together. In every step a larger
        gradient is scaled down to it. None does not limit it.
    amp : bool, default=False
        Use mixed precision, on CUDA devices only: bfloat16 where torch's autocast considers it
        safe, in training and prediction. Faster and smaller on a GPU with bfloat16 units, with
        differences in the last digits.
    augment : callable or None, default=None
        Random change of the training beats, such as one of `ecgclf.augmentation`. Called with
        the signals of every training batch, a Tensor of shape (batch, n_leads, n_samples), and
        a `torch.Generator`; returns the signals to train on.
    callbacks : sequence of skorch callbacks or None, default=None
        Callbacks for training, each alone or as a pair of a name and a callback. Shallow copies
        of them are used and kept in ``net_.callbacks_``. skorch's ``MlflowLogger``,
        ``WandbLogger(run, save_model=False)`` and ``TensorBoard`` log the epochs.
    checkpoint : str, path-like or None, default=None
        File in which `fit` saves its state after every epoch. If the fit is interrupted, the
        next call resumes it and ends with the same weights as an uninterrupted fit. A complete
        fit removes the file. `partial_fit` does not write it.
    warm_start : bool, default=False
        Start `fit` from the weights of the previous call.
    device : str, default="auto"
        Device of the network: "cpu", "cuda", "cuda:1" or "mps". "auto" selects CUDA, else MPS,
        else the CPU.
    distributed : bool, default=False
        Train together with the other processes of torch.distributed, which all call `fit` with
        the same data and the same int as `random_state`. Each process trains on its part of
        every batch, and `batch_size` is the number of beats of all parts together.
    n_jobs : int or None, default=None
        Number of threads of torch on the CPU. None means 1, which is best when several fits
        run at once, and -1 means all cores. The last bits of a model depend on it, because sums
        are rounded in another order.
    random_state : int, RandomState or None, default=None
        Seed of the weights, the split, the order of the beats, dropout and augmentation.
    verbose : int, default=1
        0 shows no progress bar. The bar is also hidden if the standard error is no terminal.

    Attributes
    ----------
    n_features_in_ : int
        Number of columns of `X`, with the leads one after another.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns of `X`, if it had string column names.
    n_leads_, n_samples_ : int
        Shape of one beat.
    n_iter_ : int
        Number of epochs that the network has been trained for.
    history_ : DataFrame
        One row per epoch: ``epoch, train_loss, valid_loss, valid_score, lr, time``. The loss is
        the mean over batches, the score that of `scoring` or the accuracy of a classifier,
        ``lr`` that of the epoch's last batch, and the time in seconds. Callbacks may add columns.
    net_ : NeuralNetClassifier
        The skorch net; ``net_.module_`` is the torch module.
    training_data_ : list of dict
        Checksums of the beats of each call of `fit` or `partial_fit` that trained this network:
        ``n_beats``; ``X_sha256``, the SHA-256 of `X` as float32 in C order; and for a
        classifier ``class_counts``, and ``y_sha256``, that of the labels as text, one per line.
    input_contract_ : dict
        Properties of the beats that the network takes, as stated in `save`. Only of a model
        that was loaded from a file.
    """

    max_epochs: PositiveInt = 10
    batch_size: PositiveInt = 256
    lr: PositiveFloat = 1e-2
    weight_decay: NotNegativeFloat | None = None
    optimizer: Literal["adam", "adamw", "sgd"] | Annotated[type[Optimizer], type] = "adamw"
    lr_schedule: Literal["constant", "one_cycle", "cosine", "plateau"] = "one_cycle"
    early_stopping: bool = False
    validation_fraction: Fraction = 0.1
    n_iter_no_change: PositiveInt = 10
    n_leads: PositiveInt | None = None
    n_tabular: NotNegativeInt = 0
    max_grad_norm: PositiveFloat | None = None
    amp: bool = False
    augment: Augmentation | None = None
    callbacks: Annotated[Sequence[training.Callback], "array-like"] | None = None
    checkpoint: str | Annotated[os.PathLike[str], os.PathLike] | None = None
    warm_start: bool = False
    device: str = "auto"
    distributed: bool = False
    n_jobs: (
        Annotated[int, POSITIVE_INTEGER, Interval(Integral, None, -1, closed="right")] | None
    ) = None
    random_state: RandomState = None
    verbose: Annotated[int, "verbose"] = 1

    #: Whether the axes of 3-D beats are leads and samples.
    _takes_signals: ClassVar[bool] = True

    #: The net that trains this kind of estimator.
    _net_kind: ClassVar[type[training.BeatNet]] = training.BeatNet

    @abstractmethod
    def _make_module(self) -> nn.Module:
        """Build the network, which maps (batch, n_columns) to its output."""

    @abstractmethod
    def _make_criterion(self) -> nn.Module:
        """Build the loss, a function of output, target and weight."""

    def _per_layer(self, name: str, layers: str) -> list:
        """Convert a parameter to a list with one value for each of the values of `layers`."""
        value, n_layers = getattr(self, name), len(getattr(self, layers))
        if not is_sequence(value):
            return [value] * n_layers
        if len(value) != n_layers:
            raise ValueError(
                f"{name}={value!r} has {len(value)} values for {n_layers} layers: give one value "
                f"for all layers, or one for each of {layers}."
            )
        return list(value)

    def _begin(self, seed: int | None = None) -> None:
        """Create an untrained network and remove the attributes of the previous one."""
        self.net_ = self._make_net(self.device, seed)
        self.training_data_: list[dict[str, Any]] = []
        vars(self).pop("input_contract_", None)

    def _make_net(self, device: str, seed: int | None = None) -> training.BeatNet:
        net = training.make_net(
            self._make_module,
            self._make_criterion(),
            seed=training.draw_seed(self.random_state) if seed is None else seed,
            device=device,
            optimizer=self.optimizer,
            weight_decay=self.weight_decay,
            kind=self._net_kind,
        )
        self._configure(net)
        return net

    def _configure(self, net: training.BeatNet) -> None:
        """Pass on the parameters that may change from one fit of a network to the next."""
        net.batch_size, net.lr = self.batch_size, self.lr
        net.max_grad_norm, net.amp = self.max_grad_norm, self.amp
        net.distributed = self.distributed
        net.augment = self.augment and OnSignals(self.augment, self.n_leads_, self.n_samples_)

    def _fit_network(self, rows: training.Rows, groups: np.ndarray | None, *, warm: bool) -> None:
        """Train for one `fit`, from the start or from a checkpoint."""
        checkpoint = None if self.checkpoint is None else FitCheckpoint(self.checkpoint)
        if warm:
            self._configure(self.net_)
        else:
            self._begin(None if checkpoint is None else checkpoint.choose_seed(self.random_state))
        rows, validation = self._split(rows, groups)
        self._train(
            rows,
            self.max_epochs,
            self._fit_callbacks(len(self.net_.get_iterator(rows, training=True))),
            validation=validation,
            new_optimizer=True,
            checkpoint=checkpoint,
        )

    def _split(
        self, rows: training.Rows, groups: np.ndarray | None
    ) -> tuple[training.Rows, training.Rows | None]:
        """Split the beats into those for training and those for early stopping."""
        used = rows.used()
        if not used.all():
            rows, groups = rows.take(used), None if groups is None else groups[used]
        validation = None
        if self.early_stopping:
            groups = rows.record if groups is None else groups
            parts = training.hold_out(rows.y, self.validation_fraction, self.net_.seed, groups)
            rows, validation = (rows.take(part) for part in parts)
        if rows.record is None and len(rows) <= self.batch_size and self.augment is None:
            rows = rows.distinct()
        return rows, validation

    def _fit_callbacks(self, n_batches: int) -> list[training.Callback]:
        """Build the callbacks of one `fit` with `n_batches` training batches in an epoch."""
        return training.fit_callbacks(
            lr=self.lr,
            lr_schedule=self.lr_schedule,
            n_steps=self.max_epochs * n_batches,
            patience=self.n_iter_no_change if self.early_stopping else None,
            accuracy=is_classifier(self),
            score=self._validation_score(),
            stop_on_score=getattr(self, "scoring", None) is not None,
        )

    def _validation_score(self) -> Callable[[training.Rows], float] | None:
        """Make the function that scores the held-out beats; None for the accuracy, if any."""
        return None

    def _train(
        self,
        rows: training.Rows,
        n_epochs: int,
        callbacks: Sequence[training.Callback],
        *,
        validation: training.Rows | None = None,
        new_optimizer: bool,
        checkpoint: FitCheckpoint | None = None,
    ) -> None:
        """Train ``net_`` and record its history."""
        training.check_callbacks(self.callbacks or [])
        # Shallow copies, because a callback may hold an open file or a run of a tracker.
        given = [
            (item[0], copy.copy(item[1])) if isinstance(item, (tuple, list)) else copy.copy(item)
            for item in self.callbacks or []
        ]
        callbacks = [training.LearningRate(), *callbacks, *given]
        if self.verbose:
            callbacks.append(training.Progress(n_epochs))
        net = self.net_
        resume = None if checkpoint is None else checkpoint.begin(self, rows, validation)
        with training.torch_threads(self.n_jobs):
            interrupted = net.train(
                rows.with_mean_weight_1(),
                n_epochs,
                validation=None if validation is None else validation.with_mean_weight_1(),
                callbacks=callbacks,
                new_optimizer=new_optimizer,
                keep=None if checkpoint is None else checkpoint.keep,
                resume=resume,
            )
        if interrupted and _is_part_of_a_search():
            raise KeyboardInterrupt
        if checkpoint is not None and not interrupted:
            checkpoint.remove()
        self.n_iter_ = len(net.history)
        self.history_ = training.history_frame(net.history)
        if interrupted:
            kept = "weights reached" if validation is None else "best weights so far"
            warnings.warn(
                f"Training was interrupted after {self.n_iter_} of {n_epochs} epochs; the model "
                f"keeps the {kept}.",
                ConvergenceWarning,
                stacklevel=6,  # the caller of fit, outside of its decorators
            )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags
