"""What all estimators share: the parameters of a training run, and the run itself."""

from __future__ import annotations

import copy
import os
import warnings
from abc import ABCMeta, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from sklearn.base import is_classifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted
from torch import nn

from ecgclf import persistence, training
from ecgclf._docstrings import InheritedParameterDocs
from ecgclf.augmentation import Augmentation, OnSignals
from ecgclf.estimators._checkpoint import FitCheckpoint
from ecgclf.estimators._contract import check_contract, input_contract
from ecgclf.estimators._fitted import become_fitted, fitted_values
from ecgclf.estimators._plain_history import PlainHistory


@dataclass(kw_only=True, eq=False, repr=False)
class BeatEstimator(InheritedParameterDocs, PlainHistory, metaclass=ABCMeta):
    """Base of all estimators: a network that is trained on beats.

    The parameters of an estimator are the fields of a dataclass, so a subclass adds its own
    without repeating those of its base.

    Parameters
    ----------
    max_epochs : int, default=10
        Passes over the training beats.
    batch_size : int, default=256
        Largest number of beats in a training batch.
    lr : float, default=1e-2
        Learning rate; the highest one under a schedule.
    weight_decay : float or None, default=None
        Decay of the weights, as `optimizer` understands it. None is 0.05 for "adamw", where
        the decay stands apart from the gradient, and 0 for any other.
    optimizer : {"adam", "adamw", "sgd"} or Optimizer class, default="adamw"
        "sgd" has Nesterov momentum 0.9. A class is called with the parameters, ``lr`` and
        ``weight_decay``.
    lr_schedule : {"constant", "one_cycle", "cosine", "plateau"}, default="one_cycle"
        How the learning rate goes over the epochs.
    early_stopping : bool, default=False
        Hold out a part of the training beats, end when the loss on it has not improved for
        `n_iter_no_change` epochs, and return to the best weights.
    validation_fraction : float, default=0.1
        Share of the beats that is held out, or of the patients if `fit` is given `groups`.
    n_iter_no_change : int, default=10
    n_leads : int or None, default=None
        Number of leads. None takes it from 3-D `X`, and means 1 for 2-D `X`.
    n_tabular : int, default=0
        Number of per-beat features in the last columns of a 2-D `X`. They join the network
        after its signal part. Bring them to a common scale yourself.
    max_grad_norm : float or None, default=None
        Cut the gradient of all parameters together down to this length (L2 norm) in every
        step.
    amp : bool, default=False
        Mixed precision, on CUDA devices only: bfloat16 where torch's autocast takes it to be
        safe, in training and prediction. Faster and smaller on a GPU with bfloat16 units, and
        the last digits differ.
    augment : callable or None, default=None
        Called with the signals of every training batch, a Tensor of shape (batch, n_leads,
        n_samples), and a `torch.Generator`; returns the signals to train on.
    callbacks : sequence of skorch callbacks or None, default=None
        Copies of them are used; find those in ``net_.callbacks_``.
    checkpoint : str, path-like or None, default=None
        File in which `fit` keeps its state after every epoch. A fit that is killed and called
        again goes on from there, and ends with the same weights as one that was not. When it
        is complete the file is removed. `partial_fit` writes none.
    warm_start : bool, default=False
        Let `fit` go on from the weights of the last call.
    device : str, default="auto"
        "auto" takes CUDA, else MPS, else the CPU; or "cpu", "cuda", "cuda:1", "mps".
    n_devices : int, default=1
        Number of CUDA devices to train on together, from the first one on, each with a process
        of its own that takes its part of every batch. With ``device="cpu"``, number of
        processes. `predict` uses one.
    n_jobs : int or None, default=None
        Threads of torch on the CPU. None means 1, which is what you want inside anything
        that runs several fits at once, and -1 all cores. The last bits of a model depend on
        it, because sums are then rounded in another order.
    random_state : int, RandomState or None, default=None
        Seed of the weights, the split, the order of the beats, dropout and augmentation.
    verbose : int, default=1
        0 shows no progress bar. There is none either if the standard error is no terminal.

    Attributes
    ----------
    n_features_in_ : int
        Columns of `X`, with leads laid one after another.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Only if `X` had string column names.
    n_leads_, n_samples_ : int
        Shape of one beat.
    n_iter_ : int
        Number of epochs the network has been trained for.
    history_ : DataFrame
        A row an epoch: ``epoch, train_loss, valid_loss, valid_score, lr, time``; the loss is
        the mean over batches, the score the accuracy of a classifier, ``lr`` that of the
        epoch's last batch, and the time in seconds. Callbacks may add columns.
    net_ : BeatNet
        The skorch net; ``net_.module_`` is the torch module.
    training_data_ : list of dict
        A fingerprint of the beats of each call of `fit` or `partial_fit` that trained this
        network: ``n_beats``; ``X_sha256``, the SHA-256 of `X` as float32 in C order; and of a
        classifier ``class_counts``, and ``y_sha256``, that of the labels as text, one a line.
    input_contract_ : dict
        What beats the network takes, as stated by `save`. Only of a model that was loaded.
    """

    max_epochs: int = 10
    batch_size: int = 256
    lr: float = 1e-2
    weight_decay: float | None = None
    optimizer: str | type[torch.optim.Optimizer] = "adamw"
    lr_schedule: Literal["constant", "one_cycle", "cosine", "plateau"] = "one_cycle"
    early_stopping: bool = False
    validation_fraction: float = 0.1
    n_iter_no_change: int = 10
    n_leads: int | None = None
    n_tabular: int = 0
    max_grad_norm: float | None = None
    amp: bool = False
    augment: Augmentation | None = None
    callbacks: Sequence[training.Callback] | None = None
    checkpoint: str | os.PathLike[str] | None = None
    warm_start: bool = False
    device: str = "auto"
    n_devices: int = 1
    n_jobs: int | None = None
    random_state: int | np.random.RandomState | None = None
    verbose: int = 1

    _parameter_constraints: ClassVar[dict] = {
        "max_epochs": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "lr": [Interval(Real, 0, None, closed="neither")],
        "weight_decay": [Interval(Real, 0, None, closed="left"), None],
        "optimizer": [StrOptions(set(training.OPTIMIZERS)), type],
        "lr_schedule": [StrOptions({"constant", *training.SCHEDULES})],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "n_leads": [Interval(Integral, 1, None, closed="left"), None],
        "n_tabular": [Interval(Integral, 0, None, closed="left")],
        "max_grad_norm": [Interval(Real, 0, None, closed="neither"), None],
        "amp": ["boolean"],
        "augment": [callable, None],
        "callbacks": ["array-like", None],
        "checkpoint": [str, os.PathLike, None],
        "warm_start": ["boolean"],
        "device": [str],
        "n_devices": [Interval(Integral, 1, None, closed="left")],
        "n_jobs": [
            Interval(Integral, None, -1, closed="right"),
            Interval(Integral, 1, None, closed="left"),
            None,
        ],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    #: The net that trains this kind of estimator.
    _net_kind: ClassVar[type[training.BeatNet]] = training.BeatNet

    @abstractmethod
    def _make_module(self) -> nn.Module:
        """Build the network, from (batch, n_columns) to its output."""

    @abstractmethod
    def _make_criterion(self) -> nn.Module:
        """Build the loss, of output, target and weight."""

    def _fit_callbacks(self) -> list[training.Callback]:
        """Build the callbacks of `fit` that only this kind of estimator has."""
        return []

    def save(
        self,
        path: str | os.PathLike[str],
        *,
        fs: float | None = None,
        unit: str | None = None,
        window: tuple[float, float] | None = None,
    ) -> None:
        """Save the fitted model to one file, without pickle; `ecgclf.load` reads it.

        What cannot be seen from the network, but must be the same where it is used, can be
        stated here. What is not stated is taken from the file that this model was loaded
        from, if it was. All of it is in ``input_contract_`` of the loaded model.

        Parameters
        ----------
        path : str or path-like
            File to write; by custom its name ends in ``.ecgclf``. One of that name is
            replaced.
        fs : float, optional
            Sampling rate of the beats in Hz.
        unit : str, optional
            Unit of their amplitude, such as "mV".
        window : tuple of two floats, optional
            Time in seconds from the start of a beat to its R peak, and from there to its end.

        Raises
        ------
        NotFittedError
            If the model is not fitted.
        PersistenceError
            If a parameter cannot be kept without pickle, such as a callback, or is not the one
            that the network was made with.
        ValueError
            If `fs`, `unit` or `window` is not as described.
        OSError
            If the file cannot be written.
        """
        check_is_fitted(self)
        described = copy.copy(self)
        described.input_contract_ = input_contract(self, fs=fs, unit=unit, window=window)
        persistence.save(described, path)

    def check_contract(
        self,
        *,
        fs: float | None = None,
        unit: str | None = None,
        window: tuple[float, float] | None = None,
    ) -> None:
        """Refuse beats of another rate, unit or window than those of training.

        An array does not tell how it was sampled, and beats of another rate may well have the
        right length. So state what is known of them before `predict`. The other side is
        ``input_contract_``, which a loaded model has; what either side does not state is not
        compared.

        Parameters
        ----------
        fs, unit, window : optional
            Rate in Hz, unit, and seconds before and after the R peak, as `save` takes them.

        Raises
        ------
        NotFittedError
            If the model is not fitted.
        ValueError
            If the beats are not what the model was trained on; the message names the
            transformer that makes them so.
        """
        check_is_fitted(self)
        check_contract(self, fs=fs, unit=unit, window=window)

    def _get_fitted(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        return fitted_values(self)

    def _set_fitted(self, values: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        become_fitted(self, values, arrays)

    def _begin(self, seed: int | None = None) -> None:
        """Take a new, untrained network and forget what belonged to the last one."""
        self.net_ = self._make_net(self.device, seed)
        self.training_data_: list[dict[str, Any]] = []
        if hasattr(self, "input_contract_"):
            del self.input_contract_

    def _make_net(self, device: str, seed: int | None = None) -> training.BeatNet:
        return training.make_net(
            self._make_module,
            self._make_criterion(),
            seed=training.draw_seed(self.random_state) if seed is None else seed,
            device=device,
            optimizer=self.optimizer,
            weight_decay=self.weight_decay,
            kind=self._net_kind,
        )

    def _fit_network(
        self, rows: training.Rows, groups: np.ndarray | None, *, going_on: bool
    ) -> None:
        """Train for one `fit`, from its beginning or from where it was broken off."""
        checkpoint = None if self.checkpoint is None else FitCheckpoint(self.checkpoint)
        if not going_on:
            self._begin(None if checkpoint is None else checkpoint.choose_seed(self.random_state))
        rows, validation = self._split(rows, groups)
        callbacks = self._callbacks_of_fit(len(rows))
        self._train(
            rows,
            self.max_epochs,
            callbacks,
            validation=validation,
            new_optimizer=True,
            checkpoint=checkpoint,
        )

    def _split(
        self, rows: training.Rows, groups: np.ndarray | None
    ) -> tuple[training.Rows, training.Rows | None]:
        """Choose what ``net_`` trains on in `fit` and what early stopping looks at."""
        used = rows.weight > 0
        if not used.all():
            rows, groups = rows.take(used), None if groups is None else groups[used]
        validation = None
        if self.early_stopping:
            parts = training.hold_out(rows.y, self.validation_fraction, self.net_.seed, groups)
            rows, validation = (rows.take(part) for part in parts)
        if len(rows) <= self.batch_size and self.augment is None:
            rows = rows.distinct()
        return rows, validation

    def _callbacks_of_fit(self, n_beats: int) -> list[training.Callback]:
        """Build the callbacks of one `fit` with so many beats to train on."""
        callbacks = training.fit_callbacks(
            lr=self.lr,
            lr_schedule=self.lr_schedule,
            n_steps=self.max_epochs * -(-n_beats // self.batch_size),
            patience=self.n_iter_no_change if self.early_stopping else None,
            accuracy=is_classifier(self),
        )
        return callbacks + self._fit_callbacks()

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
        """Train ``net_`` and record how it went."""
        training.check_callbacks(self.callbacks or [])
        callbacks = [
            training.LearningRate(),
            *callbacks,
            *copy.deepcopy(self.callbacks or []),
        ]
        if self.verbose:
            callbacks.append(training.Progress(n_epochs))
        net = self.net_
        net.batch_size, net.lr = self.batch_size, self.lr
        net.max_grad_norm, net.amp = self.max_grad_norm, self.amp
        net.n_devices = self.n_devices
        net.augment = self.augment and OnSignals(self.augment, self.n_leads_, self.n_samples_)
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
                stacklevel=6,  # the caller of fit, past its decorators
            )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags
