"""Convolutional and convolutional-recurrent classifiers."""

from __future__ import annotations

from typing import Literal

from ecgclf.estimators._classifier import BeatClassifier
from ecgclf.estimators._per_layer import IntPerLayer, SharePerLayer, Widths, WidthsNotEmpty
from ecgclf.modules import (
    Cell,
    ConvEncoder,
    ConvLayer,
    ConvRecurrentEncoder,
    Encoder,
    GlobalPool,
    RecurrentEncoder,
    StepPool,
    encoded_length,
    minimum_length,
)


class ConvolutionalClassifier(BeatClassifier):
    """Base of the classifiers that begin with a stack of convolutions.

    Parameters
    ----------
    filters : sequence of int, default=(24, 24, 48, 48, 72, 72)
        Number of filters of each convolution. Its length is the number of convolutions.
    kernel_size : int or sequence of int, default=5
        Length of the kernels in samples, one value for all convolutions or one for each.
    stride : int or sequence of int, default=(2, 1, 2, 1, 2, 1)
        Step of each convolution in samples. A stride of 2 halves the length of the signal.
    dilation : int or sequence of int, default=1
        Distance in samples between the taps of a kernel.
    padding : {"same", "valid"}, default="same"
        "same" pads with zeros, so that each convolution and pooling gives
        ``ceil(length / stride)`` values. "valid" does not pad.
    batch_norm : bool, default=True
        Normalise the output of each convolution over the batch, before the ReLU.
    pool_size : int or sequence of int, default=1
        Window of the max pooling after each convolution in samples; 1 means no pooling.
    pool_stride : int, sequence of int or None, default=None
        Step of each max pooling in samples; None means `pool_size`.
    conv_dropout : float or sequence of float, default=0.0
        Dropout rate after each ReLU, before the pooling.
    pool_dropout : float or sequence of float, default=0.0
        Dropout rate after each pooling. That of the last layer comes after the global pooling,
        if there is one.
    """

    filters: WidthsNotEmpty = (24, 24, 48, 48, 72, 72)
    kernel_size: IntPerLayer = 5
    stride: IntPerLayer = (2, 1, 2, 1, 2, 1)
    dilation: IntPerLayer = 1
    padding: Literal["same", "valid"] = "same"
    batch_norm: bool = True
    pool_size: IntPerLayer = 1
    pool_stride: IntPerLayer | None = None
    conv_dropout: SharePerLayer = 0.0
    pool_dropout: SharePerLayer = 0.0

    def _convolutions(self, n_leads: int, n_samples: int, global_pool: GlobalPool) -> ConvEncoder:
        names = ["filters", "kernel_size", "stride", "dilation", "pool_size"]
        names.append("pool_size" if self.pool_stride is None else "pool_stride")
        names += ["conv_dropout", "pool_dropout"]
        columns = [self._per_layer(name, "filters") for name in names]
        layers = [ConvLayer(*values) for values in zip(*columns)]
        if encoded_length(layers, n_samples, self.padding) < 1:
            raise ValueError(
                f"Beats of {n_samples} samples are too short for this network, which needs at "
                f"least {minimum_length(layers, self.padding)}: lower kernel_size, pool_size, "
                "stride or dilation, use fewer filters, or set padding='same'."
            )
        return ConvEncoder(
            n_leads,
            n_samples,
            layers,
            padding=self.padding,
            batch_norm=self.batch_norm,
            global_pool=global_pool,
        )


class ECGCNNClassifier(ConvolutionalClassifier):
    """Convolutional network for heartbeats.

    A stack of convolutions, each followed by batch norm, ReLU and optional max pooling; a
    global pooling; dense layers; softmax. The page "Published networks" of the documentation
    gives the parameters of published networks.

    Parameters
    ----------
    global_pool : {"avg", "max", "avg_max"} or None, default="avg_max"
        Pooling of each filter over the remaining time. "avg_max" concatenates mean and
        maximum; None flattens instead of pooling.

    Examples
    --------
    >>> from ecgclf import ECGCNNClassifier
    >>> from ecgclf.datasets import make_beats
    >>> X, y = make_beats(n_beats=300, random_state=0, return_X_y=True)
    >>> ECGCNNClassifier(random_state=0).fit(X, y).predict(X[:3]).shape
    (3,)
    """

    global_pool: GlobalPool = "avg_max"

    def _make_encoder(self, n_leads: int, n_samples: int) -> Encoder:
        return self._convolutions(n_leads, n_samples, self.global_pool)


class ECGCRNNClassifier(ConvolutionalClassifier):
    """Convolutional and recurrent network for heartbeats.

    The convolutions of `ECGCNNClassifier`, which may be dilated, shorten the beat. Recurrent
    layers run over the steps that remain; then come a pooling over the steps, dense layers and
    softmax.

    Parameters
    ----------
    cell : {"lstm", "gru", "rnn"}, default="lstm"
        Type of the recurrent layers; "rnn" is the simple one with tanh.
    units : sequence of int, default=(32,)
        Units of each recurrent layer, in each direction.
    bidirectional : bool, default=True
        Run each recurrent layer in both directions.
    recurrent_dropout : float or sequence of float, default=0.0
        Dropout rate after each recurrent layer.
    step_pool : {"last", "mean", "max", "attention"} or None, default="last"
        Pooling over the steps: the final state, their mean, their maximum or a weighted mean
        with learned weights. None flattens the steps.
    step_dense : sequence of int, default=()
        Units of fully connected layers applied to each step alone, before the steps are
        flattened; only with ``step_pool=None``.
    step_dense_dropout : float or sequence of float, default=0.0
        Dropout rate after each layer of `step_dense`.

    Examples
    --------
    >>> from ecgclf import ECGCRNNClassifier
    >>> from ecgclf.datasets import make_beats
    >>> X, y = make_beats(n_beats=200, random_state=0, return_X_y=True)
    >>> ECGCRNNClassifier(filters=(8, 16), random_state=0).fit(X, y).predict(X[:3]).shape
    (3,)
    """

    filters: WidthsNotEmpty = (24, 48, 72)
    stride: IntPerLayer = 2
    cell: Cell = "lstm"
    units: WidthsNotEmpty = (32,)
    bidirectional: bool = True
    recurrent_dropout: SharePerLayer = 0.0
    step_pool: StepPool = "last"
    step_dense: Widths = ()
    step_dense_dropout: SharePerLayer = 0.0

    def _make_encoder(self, n_leads: int, n_samples: int) -> ConvRecurrentEncoder:
        if self.step_dense and self.step_pool is not None:
            raise ValueError(
                f"step_dense={self.step_dense!r} applies to each step, but "
                f"step_pool={self.step_pool!r} leaves no steps: set step_pool=None."
            )
        convolutions = self._convolutions(n_leads, n_samples, None)
        recurrent = RecurrentEncoder(
            convolutions.out_channels,
            convolutions.out_length,
            self.units,
            cell=self.cell,
            bidirectional=self.bidirectional,
            mask_zeros=False,
            dropout=self._per_layer("recurrent_dropout", "units"),
            step_pool=self.step_pool,
        )
        dropout = self._per_layer("step_dense_dropout", "step_dense")
        return ConvRecurrentEncoder(convolutions, recurrent, self.step_dense, dropout)
