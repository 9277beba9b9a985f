"""Recurrent classifiers."""

from __future__ import annotations

from ecgclf._parameters import PositiveInt
from ecgclf.estimators._classifier import BeatClassifier
from ecgclf.estimators._per_layer import SharePerLayer, WidthsNotEmpty
from ecgclf.modules import Cell, RecurrentEncoder, StepPool


class ECGRNNClassifier(BeatClassifier):
    """Recurrent network for heartbeats.

    Recurrent layers that run over the steps of the beat, a pooling over the steps, dense
    layers, softmax.

    Parameters
    ----------
    cell : {"lstm", "gru", "rnn"}, default="gru"
        Type of the recurrent layers; "rnn" is the simple one with tanh.
    units : sequence of int, default=(64,)
        Units of each recurrent layer, in each direction.
    bidirectional : bool, default=True
        Run each layer in both directions.
    step_size : int, default=4
        Samples in one step. The published networks take 1, which costs four times as much.
    mask_zeros : bool, default=True
        End each beat at its last step that is not zero. The rows of the Kaggle set, for
        example, are filled up with zeros.
    recurrent_dropout : float or sequence of float, default=0.0
        Dropout rate after each recurrent layer.
    step_pool : {"last", "mean", "max", "attention"} or None, default="last"
        Pooling over the steps: the final state, their mean, their maximum or a weighted mean
        with learned weights. None flattens the steps.

    References
    ----------
    LSTM: Hochreiter and Schmidhuber, Neural Computation 9(8), 1997. GRU: Cho et al., EMNLP 2014,
    arXiv:1406.1078. Bidirectional layers: Schuster and Paliwal, IEEE Trans. Signal Process.
    45(11), 1997.

    Examples
    --------
    >>> from ecgclf import ECGRNNClassifier
    >>> from ecgclf.datasets import make_beats
    >>> X, y = make_beats(n_beats=200, random_state=0, return_X_y=True)
    >>> ECGRNNClassifier(units=(16,), random_state=0).fit(X, y).predict(X[:3]).shape
    (3,)
    """

    cell: Cell = "gru"
    units: WidthsNotEmpty = (64,)
    bidirectional: bool = True
    step_size: PositiveInt = 4
    mask_zeros: bool = True
    recurrent_dropout: SharePerLayer = 0.0
    step_pool: StepPool = "last"

    def _make_encoder(self, n_leads: int, n_samples: int) -> RecurrentEncoder:
        return RecurrentEncoder(
            n_leads,
            n_samples,
            self.units,
            cell=self.cell,
            bidirectional=self.bidirectional,
            step_size=self.step_size,
            mask_zeros=self.mask_zeros,
            dropout=self._per_layer("recurrent_dropout", "units"),
            step_pool=self.step_pool,
        )


class ECGLSTMClassifier(ECGRNNClassifier):
    """LSTM network for heartbeats: `ECGRNNClassifier` with another default cell.

    Examples
    --------
    >>> from ecgclf import ECGLSTMClassifier
    >>> from ecgclf.datasets import make_beats
    >>> X, y = make_beats(n_beats=200, random_state=0, return_X_y=True)
    >>> ECGLSTMClassifier(units=(16,), random_state=0).fit(X, y).predict(X[:3]).shape
    (3,)
    """

    cell: Cell = "lstm"
