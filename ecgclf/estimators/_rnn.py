"""Recurrent classifiers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import ClassVar

from sklearn.utils._param_validation import Interval, StrOptions

from ecgclf.estimators._classifier import BeatClassifier
from ecgclf.estimators._layers import EachLayer, per_layer
from ecgclf.modules import Cell, RecurrentEncoder, StepPool


@dataclass(kw_only=True, eq=False, repr=False)
class ECGLSTMClassifier(BeatClassifier):
    """LSTM network for heartbeats.

    Layers of long short-term memory that go over the beat step by step, a pooling over the
    steps, dense layers, softmax.

    Parameters
    ----------
    units : sequence of int, default=(64,)
        Units of each recurrent layer, in each direction.
    bidirectional : bool, default=True
        Go over the beat in both directions.
    step_size : int, default=4
        Samples in one step. The published networks take 1, which costs four times as much.
    mask_zeros : bool, default=True
        Let a beat end with its last step that is not zero, as rows of the Kaggle set do that
        are filled up with zeros.
    recurrent_dropout : float or sequence of float, default=0.0
        Dropout after each recurrent layer.
    pool : {"last", "mean", "max", "attention"} or None, default="last"
        What of the steps goes on: the final state, their mean, maximum or weighted mean, or
        all of them.

    See Also
    --------
    ecgclf.estimators.BeatClassifier : the parameters shared by all networks, such as `dense`,
        `max_epochs`, `batch_size`, `lr`, `class_weight`, `early_stopping`, `device` and
        `random_state`, and the fitted attributes.
    ECGRNNClassifier : the same with other cells.

    Examples
    --------
    >>> from ecgclf import ECGLSTMClassifier
    >>> from ecgclf.datasets import make_beats
    >>> X, y = make_beats(n_beats=200, random_state=0, return_X_y=True)
    >>> model = ECGLSTMClassifier(units=(16,), batch_size=32, random_state=0).fit(X, y)
    >>> model.predict(X[:3]).shape
    (3,)
    """

    units: Sequence[int] = (64,)
    bidirectional: bool = True
    step_size: int = 4
    mask_zeros: bool = True
    recurrent_dropout: float | Sequence[float] = 0.0
    pool: StepPool = "last"

    _parameter_constraints: ClassVar[dict] = {
        **BeatClassifier._parameter_constraints,
        "units": [EachLayer(Integral, 1, None, closed="left", at_least=1)],
        "bidirectional": ["boolean"],
        "step_size": [Interval(Integral, 1, None, closed="left")],
        "mask_zeros": ["boolean"],
        "recurrent_dropout": [cls(Real, 0, 1, closed="left") for cls in (Interval, EachLayer)],
        "pool": [StrOptions({"last", "mean", "max", "attention"}), None],
    }

    def _make_encoder(self, n_leads: int, n_samples: int) -> RecurrentEncoder:
        return RecurrentEncoder(
            n_leads,
            n_samples,
            self.units,
            cell=self._cell(),
            bidirectional=self.bidirectional,
            step_size=self.step_size,
            mask_zeros=self.mask_zeros,
            dropout=per_layer(
                "recurrent_dropout", self.recurrent_dropout, len(self.units), "units"
            ),
            pool=self.pool,
        )

    def _cell(self) -> Cell:
        return "lstm"


@dataclass(kw_only=True, eq=False, repr=False)
class ECGRNNClassifier(ECGLSTMClassifier):
    """Recurrent network for heartbeats, with a cell of choice.

    Parameters
    ----------
    cell : {"lstm", "gru", "rnn"}, default="gru"
        "rnn" is the simple one with tanh.

    See Also
    --------
    ECGLSTMClassifier : the other parameters.

    Examples
    --------
    >>> from ecgclf import ECGRNNClassifier
    >>> from ecgclf.datasets import make_beats
    >>> X, y = make_beats(n_beats=200, random_state=0, return_X_y=True)
    >>> model = ECGRNNClassifier(units=(16,), batch_size=32, random_state=0).fit(X, y)
    >>> model.predict(X[:3]).shape
    (3,)
    """

    cell: Cell = "gru"

    _parameter_constraints: ClassVar[dict] = {
        **ECGLSTMClassifier._parameter_constraints,
        "cell": [StrOptions({"lstm", "gru", "rnn"})],
    }

    def _cell(self) -> Cell:
        return self.cell
