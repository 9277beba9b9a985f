"""Autoencoder for dimensionality reduction and anomaly detection."""

from __future__ import annotations

from numbers import Real
from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_array, check_is_fitted
from torch import nn

from ecgclf import training
from ecgclf._docstrings import parameters_from
from ecgclf._parameters import NotNegativeFloat, PositiveInt
from ecgclf._sklearn import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    OutlierMixin,
    TransformerMixin,
    _fit_context,
)
from ecgclf._validation import count_dimensions
from ecgclf.estimators._estimator import BeatEstimator, all_or_nothing
from ecgclf.estimators._inputs import (
    check_beats,
    check_weights,
    fingerprint,
    number_groups,
)
from ecgclf.estimators._per_layer import Widths, WidthsNotEmpty
from ecgclf.modules import Autoencoder, make_autoencoder


# The order of the bases is that of `BeatClassifier`.
class ECGAutoencoder(
    BeatEstimator,
    ClassNamePrefixFeaturesOutMixin,
    OutlierMixin,
    TransformerMixin,
    BaseEstimator,
):
    r"""Autoencoder for heartbeats: transformer and anomaly detector.

    An encoder maps a beat to a code, a decoder maps the code to a beat, and both are trained to
    reproduce the beat. `transform` computes the codes. `predict` detects outliers by their
    reconstruction error: beat types that are absent from training are reconstructed poorly.

    Parameters
    ----------
    kind : {"dense", "conv", "recurrent"}, default="conv"
        Type of the layers: fully connected layers, convolutions, or LSTM layers. The decoder
        mirrors the encoder.
    n_codes : int, default=16
        Length of a code.
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
        Fraction of the training beats that `predict` labels as outliers, in (0, 0.5]. Beats of
        new patients have larger errors, above all if there were few training patients, so more
        of them are outliers. To choose a threshold on new patients, use `score_samples`.
    max_epochs : int, default=30
        Number of passes over the training beats. Reconstruction benefits from more epochs than
        classification.
    weight_decay : float or None, default=0.0
        Weight decay, as defined by `optimizer`; None is the default of the optimizer. Decay
        pulls reconstructions towards the mean beat.

    Attributes
    ----------
    offset_ : float
        Threshold of the score: beats with a lower score are outliers.

    Notes
    -----
    The score of a beat :math:`x` of :math:`m` values, reconstructed as :math:`\hat x`, is
    :math:`-\frac{1}{m} \sum_i (x_i - \hat x_i)^2`, in the square of the unit of `X`. The loss
    is the weighted mean of the same error, divided by the variance of the training beats around
    their mean beat: the fraction of unexplained variance.

    Beats can have any unit and scale: the network subtracts the mean of the training beats and
    divides by their standard deviation around it, one number for all samples. Per-beat features
    (`n_tabular`) are not scaled. With a few thousand beats or fewer, smaller batches give better
    results. With augmentation, the target is the augmented beat.

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
    n_codes: PositiveInt = 16
    dense: Widths = (128, 64)
    filters: WidthsNotEmpty = (16, 32, 64)
    kernel_size: PositiveInt = 5
    stride: PositiveInt = 2
    units: WidthsNotEmpty = (64,)
    step_size: PositiveInt = 8
    contamination: Annotated[float, Interval(Real, 0, 0.5, closed="right")] = 0.1
    max_epochs: PositiveInt = 30
    weight_decay: NotNegativeFloat | None = 0.0

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
            The beats. The columns of a 2-D `X` are the samples of the first lead, those of the
            second and so on, then the per-beat features.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_beats,), optional
            Weight of each beat in the loss and in `contamination`. Beats of weight 0 are
            ignored.
        groups : array-like of shape (n_beats,), optional
            Patient of each beat. Early stopping then holds out whole patients.

        Returns
        -------
        self
            The fitted autoencoder.

        Raises
        ------
        ValueError
            If parameters or data are not as described, or the loss diverges.
        """
        warm = self.warm_start and hasattr(self, "net_")
        in_3d = count_dimensions(X) == 3
        X = check_beats(self, X, reset=not warm).unpacked()
        weight = check_weights(sample_weight, X)
        groups = number_groups(groups, len(X))
        if not warm:
            self._in_3d = in_3d
        self._fit_network(training.Rows(X, weight=weight), groups, warm=warm)
        self.training_data_ = [*self.training_data_, fingerprint(X)]
        used = weight > 0
        self.offset_ = _threshold(self._score(X.take(used)), weight[used], self.contamination)
        return self

    @parameters_from(fit)
    def transform(self, X: ArrayLike) -> np.ndarray:
        """Compute the codes.

        Returns
        -------
        ndarray of shape (n_beats, n_codes), float32
        """
        return self._outputs(self._check(X), "encode")

    def inverse_transform(self, X: ArrayLike) -> np.ndarray:
        """Reconstruct beats from codes.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_codes)
            Codes, as `transform` computes them.

        Returns
        -------
        ndarray of shape (n_beats, n_columns) or (n_beats, n_leads, n_samples), float32
            The beats, in the shape of `fit`.

        Raises
        ------
        ValueError
            If the codes have another length than those of `transform`.
        """
        check_is_fitted(self)
        codes = check_array(X, dtype=np.float32, order="C", estimator=self)
        if codes.shape[1] != self._n_features_out:
            raise ValueError(
                f"X has {codes.shape[1]} columns, but a code of this {type(self).__name__} has "
                f"{self._n_features_out}: pass the output of transform."
            )
        return self._as_beats(self._outputs(codes, "decode"), self._in_3d)

    @parameters_from(fit)
    def reconstruct(self, X: ArrayLike) -> np.ndarray:
        """Reconstruct beats from their own codes.

        Returns
        -------
        ndarray of the shape of `X`, float32
        """
        return self._as_beats(self._outputs(self._check(X)), count_dimensions(X) == 3)

    @parameters_from(fit)
    def score_samples(self, X: ArrayLike) -> np.ndarray:
        """Compute the negative mean squared error of each beat's reconstruction.

        Returns
        -------
        ndarray of shape (n_beats,), float64
            At most 0; higher scores are more normal.
        """
        return self._score(self._check(X))

    @parameters_from(fit)
    def decision_function(self, X: ArrayLike) -> np.ndarray:
        """Compute the score of each beat minus ``offset_``.

        Returns
        -------
        ndarray of shape (n_beats,), float64
            Negative for outliers.
        """
        scores = self.score_samples(X)
        return scores - self.offset_

    @parameters_from(fit)
    def predict(self, X: ArrayLike) -> np.ndarray:
        """Predict which beats are outliers.

        Returns
        -------
        ndarray of shape (n_beats,), int
            -1 for outliers, 1 for normal beats.
        """
        return np.where(self.decision_function(X) < 0, -1, 1)

    def _check(self, X: ArrayLike) -> training.RowView:
        check_is_fitted(self)
        return check_beats(self, X, reset=False)

    def _outputs(self, X: training.RowView | np.ndarray, part: str = "forward") -> np.ndarray:
        """Apply the network, or its encoder or decoder, to rows."""
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
        return make_autoencoder(
            self.kind,
            self.n_codes,
            self.n_leads_,
            self.n_samples_,
            self.n_tabular,
            dense=self.dense,
            filters=self.filters,
            kernel_size=self.kernel_size,
            stride=self.stride,
            units=self.units,
            step_size=self.step_size,
        )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        # Codes have the precision of the network.
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


def _threshold(scores: np.ndarray, weight: np.ndarray, share: float) -> float:
    """Find the score below which at most a given share of the weight lies.

    The threshold is the mean of two neighbouring scores, so differences in the last bits of a
    score do not change the predictions.
    """
    values, which = np.unique(scores, return_inverse=True)
    below = np.cumsum(np.bincount(which, weight))
    # The tolerance prevents that 0.1 * 30 is less than 3 by rounding.
    first = int(np.searchsorted(below, share * (1 + 1e-9) * below[-1], side="right"))
    return float(values[[max(first - 1, 0), first]].mean())
