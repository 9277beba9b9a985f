"""The autoencoder: codes of beats, and beats that are unlike the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_array, check_is_fitted
from torch import nn

from ecgclf import training
from ecgclf._sklearn import (
    ClassNamePrefixFeaturesOutMixin,
    OutlierMixin,
    TransformerMixin,
    _fit_context,
)
from ecgclf._validation import count_dimensions
from ecgclf.estimators._estimator import BeatEstimator, EachLayer, all_or_nothing
from ecgclf.estimators._inputs import (
    check_beats,
    check_weights,
    fingerprint,
    number_groups,
)
from ecgclf.modules import (
    Autoencoder,
    conv_autoencoder,
    dense_autoencoder,
    recurrent_autoencoder,
)


@dataclass(kw_only=True, eq=False, repr=False)
class ECGAutoencoder(
    ClassNamePrefixFeaturesOutMixin, OutlierMixin, TransformerMixin, BeatEstimator
):
    r"""Autoencoder for heartbeats: describes a beat by a few numbers, and finds odd beats.

    An encoder turns a beat into a code, a decoder turns the code into a beat, and both are
    trained so that the beat comes back. As a transformer it gives the codes, for whatever
    model comes next. As an outlier detector it tells how badly a beat comes back: trained on
    normal beats alone, it has not learned to draw any others.

    Parameters
    ----------
    kind : {"dense", "conv", "recurrent"}, default="conv"
        Fully connected layers, convolutions, or LSTM layers; the decoder mirrors the encoder.
    n_codes : int, default=16
        Numbers in a code.
    dense : sequence of int, default=(128, 64)
        Units of each fully connected layer of the encoder; for ``kind="dense"``. An empty
        sequence makes the autoencoder linear.
    filters : sequence of int, default=(16, 32, 64)
        Filters of each convolution of the encoder; for ``kind="conv"``.
    kernel_size : int, default=5
        Length of the kernels in samples; for ``kind="conv"``.
    stride : int, default=2
        Factor by which each convolution shortens the beat; for ``kind="conv"``.
    units : sequence of int, default=(64,)
        Units of each LSTM layer of the encoder; for ``kind="recurrent"``.
    step_size : int, default=8
        Samples of each lead that are read and written in one step; for ``kind="recurrent"``.
    contamination : float, default=0.1
        Share of the training beats that `predict` calls outliers, in (0, 0.5]. Beats of new
        patients come back worse than those trained on, above all if these were few patients:
        more of them are called outliers. To choose the threshold on beats of such patients,
        compare `score_samples` with it yourself.
    max_epochs : int, default=30
        More than for classifiers, because a beat has more to teach than its label.
    weight_decay : float or None, default=0.0
        Decay would pull reconstructions to the mean beat.

    Attributes
    ----------
    offset_ : float
        Scores below it are those of outliers.

    See Also
    --------
    ecgclf.estimators.BeatEstimator : the parameters of the training run, such as
        `max_epochs`, `batch_size`, `lr`, `early_stopping`, `device` and `random_state`, and
        the other fitted attributes.

    Notes
    -----
    The score of a beat :math:`x` of :math:`m` values, reconstructed as :math:`\hat x`, is
    :math:`-\frac{1}{m} \sum_i (x_i - \hat x_i)^2`, in the square of the unit of `X`. The loss
    is the weighted mean of the same error, divided by the variance of the training beats
    around their mean beat: the share of it that is not explained.

    Beats of any unit and scale can be passed in. The network itself subtracts the mean of the
    training beats and divides by one number, the root of that variance; its
    ``net_.module_.standardize`` keeps both. Per-beat features (`n_tabular`) are encoded and
    reconstructed too, but not scaled.

    A few thousand beats or fewer are learned better in smaller batches. An augmented beat is to
    be reconstructed as it is after the augmentation.

    References
    ----------
    G. E. Hinton and R. R. Salakhutdinov, "Reducing the dimensionality of data with neural
    networks", Science 313, 2006.

    Examples
    --------
    >>> from ecgclf import ECGAutoencoder
    >>> from ecgclf.datasets import make_beats
    >>> X, y = make_beats(n_beats=300, random_state=0, return_X_y=True)
    >>> model = ECGAutoencoder(n_codes=8, max_epochs=5, random_state=0).fit(X[y == "N"])
    >>> model.transform(X).shape
    (300, 8)
    >>> bool(model.score_samples(X[y == "N"]).mean() > model.score_samples(X[y == "V"]).mean())
    True
    """

    kind: Literal["dense", "conv", "recurrent"] = "conv"
    n_codes: int = 16
    dense: Sequence[int] = (128, 64)
    filters: Sequence[int] = (16, 32, 64)
    kernel_size: int = 5
    stride: int = 2
    units: Sequence[int] = (64,)
    step_size: int = 8
    contamination: float = 0.1
    max_epochs: int = 30
    weight_decay: float | None = 0.0

    _parameter_constraints: ClassVar[dict] = {
        **BeatEstimator._parameter_constraints,
        "kind": [StrOptions({"dense", "conv", "recurrent"})],
        "n_codes": [Interval(Integral, 1, None, closed="left")],
        "dense": [EachLayer(Integral, 1, None, closed="left")],
        "filters": [EachLayer(Integral, 1, None, closed="left", at_least=1)],
        "kernel_size": [Interval(Integral, 1, None, closed="left")],
        "stride": [Interval(Integral, 1, None, closed="left")],
        "units": [EachLayer(Integral, 1, None, closed="left", at_least=1)],
        "step_size": [Interval(Integral, 1, None, closed="left")],
        "contamination": [Interval(Real, 0, 0.5, closed="right")],
    }

    _net_kind = training.ReconstructionNet

    @_fit_context(prefer_skip_nested_validation=True)
    @all_or_nothing
    def fit(
        self,
        X: ArrayLike,
        y: Any = None,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> Self:
        """Train the network.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_columns) or (n_beats, n_leads, n_samples)
            The beats. With several leads, the columns of a 2-D `X` are the samples of the
            first lead, then those of the second, and so on, then the per-beat features.
        y : ignored
        sample_weight : array-like of shape (n_beats,), optional
            Weight of each beat in the loss and in `contamination`. A beat of weight 0 is as
            if it was not there.
        groups : array-like of shape (n_beats,), optional
            Patient of each beat. Early stopping then holds out whole patients.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If parameters or data are not as described, or the loss diverges.
        """
        going_on = self.warm_start and hasattr(self, "net_")
        in_3d = count_dimensions(X) == 3
        X = check_beats(self, X, reset=not going_on).unpacked()
        weight = check_weights(sample_weight, X)
        groups = number_groups(groups, len(X))
        if not going_on:
            self._in_3d = in_3d
        self._fit_network(training.Rows(X, weight=weight), groups, going_on=going_on)
        self.training_data_ = [*self.training_data_, fingerprint(X)]
        used = weight > 0
        self.offset_ = _threshold(self._score(X.take(used)), weight[used], self.contamination)
        return self

    def transform(self, X: ArrayLike) -> np.ndarray:
        """Compute the codes.

        Parameters
        ----------
        X : array-like, of one beat's shape as in `fit`

        Returns
        -------
        ndarray of shape (n_beats, n_codes), float32
        """
        return self._outputs(self._check(X), "encode")

    def inverse_transform(self, X: ArrayLike) -> np.ndarray:
        """Turn codes into beats.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_codes)

        Returns
        -------
        ndarray of shape (n_beats, n_columns) or (n_beats, n_leads, n_samples), float32
            As the beats in `fit` were.

        Raises
        ------
        ValueError
            If the codes have another width than those of `transform`.
        """
        check_is_fitted(self)
        codes = check_array(X, dtype=np.float32, order="C", estimator=self)
        if codes.shape[1] != self._n_features_out:
            raise ValueError(
                f"X has {codes.shape[1]} columns, but a code of this {type(self).__name__} has "
                f"{self._n_features_out}: pass what transform gave."
            )
        return self._as_beats(self._outputs(codes, "decode"), self._in_3d)

    def reconstruct(self, X: ArrayLike) -> np.ndarray:
        """Turn beats into codes and these into beats.

        Parameters
        ----------
        X : array-like, of one beat's shape as in `fit`

        Returns
        -------
        ndarray of the shape of `X`, float32
        """
        return self._as_beats(self._outputs(self._check(X)), count_dimensions(X) == 3)

    def score_samples(self, X: ArrayLike) -> np.ndarray:
        """Compute the negative mean squared error of each beat's reconstruction.

        Parameters
        ----------
        X : array-like, of one beat's shape as in `fit`

        Returns
        -------
        ndarray of shape (n_beats,), float64
            The higher, the more normal; 0 at most.
        """
        return self._score(self._check(X))

    def decision_function(self, X: ArrayLike) -> np.ndarray:
        """Compute by how much the score of each beat exceeds ``offset_``.

        Parameters
        ----------
        X : array-like, of one beat's shape as in `fit`

        Returns
        -------
        ndarray of shape (n_beats,), float64
            Negative for outliers.
        """
        scores = self.score_samples(X)
        return scores - self.offset_

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Tell outliers from normal beats.

        Parameters
        ----------
        X : array-like, of one beat's shape as in `fit`

        Returns
        -------
        ndarray of shape (n_beats,), int
            -1 for outliers, 1 for all others.
        """
        return np.where(self.decision_function(X) < 0, -1, 1)

    def _check(self, X: ArrayLike) -> training.RowView:
        check_is_fitted(self)
        return check_beats(self, X, reset=False)

    def _outputs(self, X: training.RowView | np.ndarray, part: str = "forward") -> np.ndarray:
        """Apply the network, or one half of it, to rows."""
        with training.torch_threads(self.n_jobs):
            return self.net_.outputs(training.Rows(X), getattr(self.net_.module_, part))

    def _as_beats(self, rows: np.ndarray, in_3d: bool) -> np.ndarray:
        return rows.reshape(-1, self.n_leads_, self.n_samples_) if in_3d else rows

    def _score(self, X: training.RowView) -> np.ndarray:
        scores = [
            -np.mean(np.square(block - self._outputs(block), dtype=np.float64), axis=1)
            for block in X.blocks()
        ]
        return np.concatenate(scores)

    @property
    def _n_features_out(self) -> int:
        return self.net_.module_.n_codes

    def _make_criterion(self) -> nn.Module:
        return training.ReconstructionLoss()

    def _make_module(self) -> Autoencoder:
        shape = (self.n_codes, self.n_leads_, self.n_samples_, self.n_tabular)
        if self.kind == "dense":
            return dense_autoencoder(*shape, dense=self.dense)
        if self.kind == "conv":
            return conv_autoencoder(
                *shape, filters=self.filters, kernel_size=self.kernel_size, stride=self.stride
            )
        return recurrent_autoencoder(*shape, units=self.units, step_size=self.step_size)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        # Codes are of the network's own precision.
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


def _threshold(scores: np.ndarray, weight: np.ndarray, share: float) -> float:
    """Find the score below which at most a share of the weight lies.

    Halfway between the last score below and the first above, so that the bits in which
    predictions may differ decide nothing.
    """
    values, which = np.unique(scores, return_inverse=True)
    below = np.cumsum(np.bincount(which, weight))
    # A hair more, or 0.1 * 30 might not be 3.
    first = int(np.searchsorted(below, share * (1 + 1e-9) * below[-1], side="right"))
    return float(values[[max(first - 1, 0), first]].mean())
