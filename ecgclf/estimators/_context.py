"""Classifier of beats in the context of their recording."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from numpy.typing import ArrayLike

from ecgclf import training
from ecgclf._parameters import Column, PositiveFloat, PositiveInt, Share
from ecgclf.augmentation import Stretches
from ecgclf.estimators._cnn import ConvolutionalClassifier
from ecgclf.estimators._inputs import check_beats_of_records
from ecgclf.estimators._per_layer import IntPerLayer, WidthsNotEmpty
from ecgclf.modules import ContextNetwork, ConvEncoder, GlobalPool


class ECGContextClassifier(ConvolutionalClassifier):
    r"""Network that classifies beats in the context of their recording.

    A row of `X` is a beat, with two more columns: its record and its position in the record. The
    network compares each beat with the median beat of its record, and with the beats and RR
    intervals before and after it. It is made for supraventricular beats, which have a normal
    shape and come early. The page "Beats in context" of the documentation is its user guide.

    The rows may have any order, but `X` must contain all beats of a record, in `fit` and in
    `predict`: a missing beat joins two RR intervals into one. Beats without a known label can
    have the weight 0 in `fit`. With ``record=None`` every beat is a record of its own, and the
    network knows its shape only.

    Parameters
    ----------
    record : str, int or None, default=None
        Column of `X` with the record of each beat: a name in a DataFrame, a position in an
        array. In a DataFrame, records can be strings.
    sample : str, int or None, default=None
        Column of `X` with the position of each beat in its record, in any unit of time, because
        only ratios of RR intervals are used. None if the rows are in order of time and the
        intervals are unknown.
    context : int, default=96
        Number of consecutive beats, a stretch, that the network sees at once.
    global_pool : {"avg", "max", "avg_max"} or None, default="avg_max"
        Pooling of each filter over the remaining time. "avg_max" concatenates mean and
        maximum; None flattens instead of pooling.
    width : int, default=64
        Number of values to which the convolutions reduce a beat.
    units : int, default=64
        Units of the recurrent layer (GRU), in each direction.
    dropout : float, default=0.3
        Dropout rate after the convolutions and after the recurrent layer.
    augment_stretches : callable or None, default=None
        Random change of the training stretches, such as `ecgclf.augmentation.PrematureBeats`:
        a function of `ecgclf.augmentation.Stretches` and a `torch.Generator` that returns such
        stretches. It can change the rhythm and the labels.
    max_epochs : int, default=20
        Number of passes over the training beats. In a pass, as many stretches are drawn as cover
        all beats once.
    batch_size : int, default=1536
        Number of beats in a training batch, of ``batch_size // context`` stretches.
    early_stopping : bool, default=False
        As in the other networks, but whole records are held out if `fit` is not given `groups`.

    Notes
    -----
    A second reference is the median beat after RR intervals above the 0.85 quantile of the
    record. In ``training_data_``, ``X_sha256`` is that of the other columns than `record` and
    `sample`.

    Examples
    --------
    >>> from ecgclf import ECGContextClassifier
    >>> from ecgclf.datasets import make_beats
    >>> beats = make_beats(n_beats=400, n_patients=8, random_state=0)
    >>> X = beats.frame.drop(columns=["target", *beats.rhythm_names])
    >>> X.columns[:3].tolist()
    ['record', 'sample', 'sample_000']
    >>> model = ECGContextClassifier(
    ...     record="record", sample="sample", context=32, batch_size=128, random_state=0
    ... )
    >>> model.fit(X, beats.target).predict(X[X["record"] == beats.record[0]]).shape
    (50,)
    """

    record: Column | None = None
    sample: Column | None = None
    context: PositiveInt = 96
    filters: WidthsNotEmpty = (24, 32, 48, 48)
    kernel_size: IntPerLayer = (7, 5, 5, 5)
    stride: IntPerLayer = (2, 2, 2, 1)
    global_pool: GlobalPool = "avg_max"
    width: PositiveInt = 64
    units: PositiveInt = 64
    dropout: Share = 0.3
    augment_stretches: Callable[[Stretches, torch.Generator], Stretches] | None = None
    max_epochs: PositiveInt = 20
    batch_size: PositiveInt = 1536
    lr: PositiveFloat = 3e-3
    max_grad_norm: PositiveFloat | None = 1.0

    _net_kind = training.ContextNet

    _takes_rows = False  # the network needs the neighbours and the references of a beat

    def _read(self, X: ArrayLike, *, reset: bool, unpack: bool = False) -> training.Rows:
        if self.record is None:
            if self.sample is not None:
                raise ValueError(
                    f"sample={self.sample!r} needs record: give the column of X with the record "
                    "of each beat."
                )
            return super()._read(X, reset=reset, unpack=unpack)
        view, records, positions = check_beats_of_records(self, X, reset=reset)
        return training.Rows(view, record=records, position=positions)

    def _configure(self, net: training.BeatNet) -> None:
        super()._configure(net)
        net.n_leads, net.n_samples = self.n_leads_, self.n_samples_
        net.context, net.classes = self.context, self.classes_
        if self.multilabel_ and self.augment_stretches is not None:
            raise ValueError(
                "augment_stretches changes the label of a beat, but y is an indicator matrix. "
                "Set augment_stretches=None."
            )
        net.augment_stretches = self.augment_stretches

    def _make_encoder(self, n_leads: int, n_samples: int) -> ConvEncoder:
        return self._convolutions(1 + training.N_REFERENCES, n_samples, self.global_pool)

    def _make_module(self) -> ContextNetwork:
        return ContextNetwork(
            self._make_encoder(1, self.n_samples_),
            len(self.classes_),
            1 + training.N_REFERENCES,
            self.n_samples_,
            self.n_tabular,
            width=self.width,
            units=self.units,
            dropout=self.dropout,
            dense=self.dense,
            dense_dropout=self._per_layer("dense_dropout", "dense"),
        )

    @property
    def _n_network_columns(self) -> int:
        return (1 + training.N_REFERENCES) * self.n_samples_ + 2 + self.n_tabular

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = self.record is not None
        return tags
