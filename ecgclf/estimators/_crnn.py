"""Convolutions, then recurrent layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import ClassVar

from sklearn.utils._param_validation import Interval, StrOptions

from ecgclf.estimators._cnn import ECGCNNClassifier
from ecgclf.estimators._layers import EachLayer, per_layer
from ecgclf.modules import Cell, ConvRecurrentEncoder, RecurrentEncoder, StepPool


@dataclass(kw_only=True, eq=False, repr=False)
class ECGCRNNClassifier(ECGCNNClassifier):
    """Convolutional and recurrent network for heartbeats.

    The convolutions of `ECGCNNClassifier`, which may be dilated, find the waves; recurrent
    layers go over what they found, sample by sample of the shortened signal.

    Parameters
    ----------
    filters : sequence of int, default=(24, 48, 72)
    stride : int or sequence of int, default=2
    cell : {"lstm", "gru", "rnn"}, default="lstm"
    units : sequence of int, default=(32,)
        Units of each recurrent layer, in each direction.
    bidirectional : bool, default=True
    recurrent_dropout : float or sequence of float, default=0.0
        Dropout after each recurrent layer.
    global_pool : {"last", "mean", "max", "attention"} or None, default="last"
        What of the recurrent layers' steps goes on; None flattens them.
    step_dense : sequence of int, default=()
        Units of dense layers that work on each step alone; only with ``global_pool=None``.
    step_dropout : float or sequence of float, default=0.0
        Dropout after each of them.

    See Also
    --------
    ECGCNNClassifier : the parameters of the convolutions.
    ecgclf.estimators.BeatClassifier : the parameters shared by all networks.

    Notes
    -----
    The dilated network with a bidirectional LSTM on the page "Published networks" is of this
    kind.

    Examples
    --------
    >>> from ecgclf import ECGCRNNClassifier
    >>> from ecgclf.datasets import make_beats
    >>> X, y = make_beats(n_beats=200, random_state=0, return_X_y=True)
    >>> model = ECGCRNNClassifier(filters=(8, 16), batch_size=32, random_state=0).fit(X, y)
    >>> model.predict(X[:3]).shape
    (3,)
    """

    filters: Sequence[int] = (24, 48, 72)
    stride: int | Sequence[int] = 2
    cell: Cell = "lstm"
    units: Sequence[int] = (32,)
    bidirectional: bool = True
    recurrent_dropout: float | Sequence[float] = 0.0
    global_pool: StepPool = "last"  # type: ignore[assignment]
    step_dense: Sequence[int] = ()
    step_dropout: float | Sequence[float] = 0.0

    _parameter_constraints: ClassVar[dict] = {
        **ECGCNNClassifier._parameter_constraints,
        "cell": [StrOptions({"lstm", "gru", "rnn"})],
        "units": [EachLayer(Integral, 1, None, closed="left", at_least=1)],
        "bidirectional": ["boolean"],
        "recurrent_dropout": [cls(Real, 0, 1, closed="left") for cls in (Interval, EachLayer)],
        "global_pool": [StrOptions({"last", "mean", "max", "attention"}), None],
        "step_dense": [EachLayer(Integral, 1, None, closed="left")],
        "step_dropout": [cls(Real, 0, 1, closed="left") for cls in (Interval, EachLayer)],
    }

    def _make_encoder(self, n_leads: int, n_samples: int) -> ConvRecurrentEncoder:
        if self.step_dense and self.global_pool is not None:
            raise ValueError(
                f"step_dense={self.step_dense!r} works on each step alone, but "
                f"global_pool={self.global_pool!r} leaves no steps: set global_pool=None."
            )
        convolutions = self._convolutions(n_leads, n_samples, None)
        recurrent = RecurrentEncoder(
            convolutions.out_channels,
            convolutions.out_length,
            self.units,
            cell=self.cell,
            bidirectional=self.bidirectional,
            mask_zeros=False,
            dropout=per_layer(
                "recurrent_dropout", self.recurrent_dropout, len(self.units), "units"
            ),
            pool=self.global_pool,
        )
        step_dropout = per_layer(
            "step_dropout", self.step_dropout, len(self.step_dense), "step_dense"
        )
        return ConvRecurrentEncoder(convolutions, recurrent, self.step_dense, step_dropout)
