"""The convolutional classifier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import ClassVar, Literal

from sklearn.utils._param_validation import Interval, StrOptions

from ecgclf.estimators._classifier import BeatClassifier
from ecgclf.estimators._layers import EachLayer, per_layer
from ecgclf.modules import (
    ConvEncoder,
    ConvLayer,
    Encoder,
    GlobalPool,
    encoded_length,
    minimum_length,
)

_COUNT = [cls(Integral, 1, None, closed="left") for cls in (Interval, EachLayer)]
_SHARE = [cls(Real, 0, 1, closed="left") for cls in (Interval, EachLayer)]


@dataclass(kw_only=True, eq=False, repr=False)
class ECGCNNClassifier(BeatClassifier):
    """Convolutional network for heartbeats.

    A stack of convolutions, each with batch norm, ReLU and, where wanted, max pooling; a
    pooling over the time that is left; dense layers; softmax. A parameter that belongs to a
    layer takes one value for all of them or a sequence with one for each.

    Parameters
    ----------
    filters : sequence of int, default=(24, 24, 48, 48, 72, 72)
        Filters of each convolution; its length is the number of convolutions.
    kernel_size : int or sequence of int, default=5
    stride : int or sequence of int, default=(2, 1, 2, 1, 2, 1)
    dilation : int or sequence of int, default=1
    padding : {"same", "valid"}, default="same"
        "same" pads with zeros to ``ceil(length / stride)``, at poolings too; "valid" not.
    batch_norm : bool, default=True
    pool_size : int or sequence of int, default=1
        Window of the max pooling after each convolution; 1 means none.
    pool_stride : int, sequence of int or None, default=None
        Its stride; None means `pool_size`.
    conv_dropout : float or sequence of float, default=0.0
        Dropout after each ReLU, before the pooling.
    pool_dropout : float or sequence of float, default=0.0
        Dropout after each pooling; the last layer's comes after the global pooling.
    global_pool : {"avg", "max", "avg_max"} or None, default="avg_max"
        "avg_max" is both side by side; None flattens what is left.

    See Also
    --------
    ecgclf.estimators.BeatClassifier : the parameters shared by all networks, such as `dense`,
        `max_epochs`, `batch_size`, `lr`, `class_weight`, `early_stopping`, `device` and
        `random_state`, and the fitted attributes.

    Notes
    -----
    Published networks by their parameters: the page "Published networks" of the
    documentation.

    Examples
    --------
    >>> from ecgclf import ECGCNNClassifier
    >>> from ecgclf.datasets import make_beats
    >>> X, y = make_beats(n_beats=300, random_state=0, return_X_y=True)
    >>> model = ECGCNNClassifier(max_epochs=10, batch_size=32, random_state=0).fit(X, y)
    >>> model.predict(X[:3]).shape
    (3,)
    """

    filters: Sequence[int] = (24, 24, 48, 48, 72, 72)
    kernel_size: int | Sequence[int] = 5
    stride: int | Sequence[int] = (2, 1, 2, 1, 2, 1)
    dilation: int | Sequence[int] = 1
    padding: Literal["same", "valid"] = "same"
    batch_norm: bool = True
    pool_size: int | Sequence[int] = 1
    pool_stride: int | Sequence[int] | None = None
    conv_dropout: float | Sequence[float] = 0.0
    pool_dropout: float | Sequence[float] = 0.0
    global_pool: GlobalPool = "avg_max"

    _parameter_constraints: ClassVar[dict] = {
        **BeatClassifier._parameter_constraints,
        "filters": [EachLayer(Integral, 1, None, closed="left", at_least=1)],
        "kernel_size": _COUNT,
        "stride": _COUNT,
        "dilation": _COUNT,
        "padding": [StrOptions({"same", "valid"})],
        "batch_norm": ["boolean"],
        "pool_size": _COUNT,
        "pool_stride": [*_COUNT, None],
        "conv_dropout": _SHARE,
        "pool_dropout": _SHARE,
        "global_pool": [StrOptions({"avg", "max", "avg_max"}), None],
    }

    #: What the convolutions run along.
    _along: ClassVar[str] = "samples"

    def _make_encoder(self, n_leads: int, n_samples: int) -> Encoder:
        return self._convolutions(n_leads, n_samples, self.global_pool)

    def _convolutions(self, n_leads: int, n_samples: int, global_pool: GlobalPool) -> ConvEncoder:
        layers = self._layers()
        if encoded_length(layers, n_samples, self.padding) < 1:
            raise ValueError(
                f"Beats of {n_samples} {self._along} are too short for this network, which needs "
                f"at least {minimum_length(layers, self.padding)}: lower kernel_size, pool_size, "
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

    def _layers(self) -> list[ConvLayer]:
        """Gather what belongs to each layer."""
        pool_stride = self.pool_size if self.pool_stride is None else self.pool_stride
        columns = [
            per_layer(name, value, len(self.filters), "filters")
            for name, value in [
                ("filters", self.filters),
                ("kernel_size", self.kernel_size),
                ("stride", self.stride),
                ("dilation", self.dilation),
                ("pool_size", self.pool_size),
                ("pool_stride", pool_stride),
                ("conv_dropout", self.conv_dropout),
                ("pool_dropout", self.pool_dropout),
            ]
        ]
        return [ConvLayer(*values) for values in zip(*columns)]
