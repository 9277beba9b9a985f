"""Base of the classifiers."""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, softmax
from sklearn.metrics import get_scorer, get_scorer_names
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import check_is_fitted
from torch import nn

from ecgclf import training
from ecgclf._docstrings import parameters_from
from ecgclf._parameters import NotNegativeFloat, Share
from ecgclf._sklearn import BaseEstimator, ClassifierMixin, _fit_context
from ecgclf.estimators._class_weight import ClassWeights, weigh_classes, weigh_labels
from ecgclf.estimators._estimator import (
    BeatEstimator,
    all_or_nothing,
)
from ecgclf.estimators._inputs import (
    check_beats,
    check_classes,
    check_labels,
    check_weights,
    fingerprint,
    number_groups,
)
from ecgclf.estimators._per_layer import SharePerLayer, Widths
from ecgclf.modules import BeatNetwork, DenseHead, Encoder


# Editors with jedi need `BeatEstimator` before any mixin, and scikit-learn needs its mixins
# before `BaseEstimator`.
class BeatClassifier(BeatEstimator, ClassifierMixin, BaseEstimator):
    """Base of the classifiers: an encoder for the signal, then fully connected layers.

    With an indicator matrix as `y`, a beat can have several labels or none. The network then
    ends in one sigmoid a label, and the loss is the mean of the labels' losses.

    A subclass declares its own parameters as fields, their constraints, and a method that
    builds its encoder.

    Parameters
    ----------
    dense : sequence of int, default=()
        Units of each fully connected layer before the output.
    dense_dropout : float or sequence of float, default=0.0
        Dropout rate after each layer of `dense`, one value for all of them or one for each.
    loss : {"cross_entropy", "focal"}, default="cross_entropy"
        Loss function; with an indicator matrix the binary one of each label. The focal loss
        gives less weight to beats that are already classified well.
    focal_gamma : float, default=2.0
        Exponent of the focal loss; 0 is the cross-entropy. Use `class_weight` for the alpha of
        the focal loss.
    label_smoothing : float, default=0.0
        Share of each beat's target that is spread evenly over all classes, with the
        cross-entropy. The losses in ``history_`` are computed with it. With an indicator matrix
        a share of 0.1 turns 0 and 1 into 0.05 and 0.95.
    class_weight : dict, "balanced", callable or None, default=None
        Weight of each class in the loss, multiplied with `sample_weight`. "balanced" is
        inversely proportional to the class frequencies. A callable, such as
        `EffectiveNumber`, takes the number of beats of each class (the sum of their weights),
        an ndarray of shape (n_classes,), and returns the weights. With an indicator matrix,
        the weight of a label counts where a beat has the label; where it lacks it, the weight
        is 1. "balanced" gives both sides of each label the same total.
    scoring : str, callable or None, default=None
        Metric for early stopping: the name of a scikit-learn scorer, such as "roc_auc_ovr" or
        "f1_macro", or a function ``scorer(estimator, X, y)``. Early stopping then waits for a
        higher score on the held-out beats, and ``valid_score`` in ``history_`` is this score.
        None waits for a lower loss, and the score is the accuracy.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, in sorted order; the column numbers of an indicator matrix.
    multilabel_ : bool
        Whether the network was trained with an indicator matrix.
    """

    dense: Widths = ()
    dense_dropout: SharePerLayer = 0.0
    loss: Literal["cross_entropy", "focal"] = "cross_entropy"
    focal_gamma: NotNegativeFloat = 2.0
    label_smoothing: Share = 0.0
    class_weight: Literal["balanced"] | Annotated[Mapping, dict] | ClassWeights | None = None
    scoring: Annotated[str, StrOptions(set(get_scorer_names()))] | Callable[..., float] | None = (
        None
    )

    #: Whether a row of `X` alone is the input of the network.
    _takes_rows: ClassVar[bool] = True

    @abstractmethod
    def _make_encoder(self, n_leads: int, n_samples: int) -> Encoder:
        """Build the part of the network that encodes the signal."""

    @_fit_context(prefer_skip_nested_validation=True)
    @all_or_nothing
    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> Self:
        """Train the network.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_columns) or (n_beats, n_leads, n_samples)
            The beats. The columns of a 2-D `X` are the samples of the first lead, those of the
            second and so on, then the per-beat features.
        y : array-like of shape (n_beats,), or array or sparse matrix of shape (n_beats, n_labels)
            Labels of the beats; 0 and 1 in an indicator matrix of several labels.
        sample_weight : array-like of shape (n_beats,), optional
            Weight of each beat in the loss. Beats of weight 0 are ignored.
        groups : array-like of shape (n_beats,), optional
            Patient of each beat. Early stopping then holds out whole patients.

        Returns
        -------
        self
            The fitted classifier.

        Raises
        ------
        ValueError
            If parameters or data are not as described, there is only one class, the beats
            are too short for the network, or the loss diverges.
        """
        warm = self.warm_start and hasattr(self, "net_")
        rows = self._read(X, reset=not warm, unpack=True)
        y = check_labels(y, len(rows))
        codes = self._encode(y, None, reset=not warm)
        weight = check_weights(sample_weight, rows.view)
        groups = number_groups(groups, len(rows))
        weight = self._weigh(weight, codes)
        if not self.multilabel_:
            self._check_classes_present(codes[weight > 0])
        self._fit_network(rows.replace(codes, weight), groups, warm=warm)
        self.training_data_ = [*self.training_data_, fingerprint(rows.view, y)]
        self._streaming = False
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    @all_or_nothing
    @parameters_from(fit)
    def partial_fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Train for one epoch, at a constant learning rate.

        Parameters
        ----------
        classes : array-like of shape (n_classes,), optional
            All labels that can occur in any call; required in the first call, except for an
            indicator matrix.

        Returns
        -------
        self
            The fitted classifier.

        Raises
        ------
        ValueError
            As in `fit`; also if `classes` is missing in the first call or differs from it, or
            if ``early_stopping=True``.
        """
        first = not hasattr(self, "net_")
        if self.early_stopping:
            raise ValueError("partial_fit has no validation beats: set early_stopping=False.")
        if not isinstance(self.class_weight, Mapping | None):
            raise ValueError(
                "partial_fit does not know the frequencies of the classes: set class_weight to a "
                f"dict instead of {self.class_weight!r}, or pass sample_weight."
            )
        rows = self._read(X, reset=first, unpack=True)
        y = check_labels(y, len(rows))
        if first and classes is None and y.ndim == 1:
            raise ValueError("classes must be passed on the first call to partial_fit.")
        classes = None if classes is None else check_classes(classes)
        codes = self._encode(y, classes, reset=first)
        weight = self._weigh(check_weights(sample_weight, rows.view), codes)
        if first:
            self._begin()
        else:
            self._configure(self.net_)
        trained_on = fingerprint(rows.view, y)
        rows = rows.replace(codes, weight)
        rows = rows.take(rows.used())
        # Consecutive calls keep the optimizer; the first call after a fit starts a new one.
        streaming = getattr(self, "_streaming", False)
        self._train(rows, 1, (), new_optimizer=not streaming)
        self.training_data_ = [*self.training_data_, trained_on]
        self._streaming = True
        return self

    @parameters_from(fit)
    def predict(self, X: ArrayLike) -> np.ndarray:
        """Predict the label of each beat.

        Returns
        -------
        ndarray of shape (n_beats,), or (n_beats, n_labels) after an indicator matrix
            The most probable class, or 1 for each label with a probability above 0.5.
        """
        # `_outputs` checks that the model is fitted, so it precedes the use of classes_.
        logits = self._outputs(X)
        if self.multilabel_:
            return (logits > 0).astype(np.int64)
        return self.classes_[logits.argmax(axis=1)]

    @parameters_from(fit)
    def predict_proba(self, X: ArrayLike) -> np.ndarray:
        """Predict the probability of each class.

        Returns
        -------
        ndarray of shape (n_beats, n_classes), float64
            The softmax of the logits, with the columns in the order of ``classes_``. After an
            indicator matrix, the sigmoid of each logit.
        """
        logits = self._outputs(X).astype(np.float64)
        return expit(logits) if self.multilabel_ else softmax(logits, axis=1)

    @parameters_from(fit)
    def decision_function(self, X: ArrayLike) -> np.ndarray:
        """Compute the logits.

        Returns
        -------
        ndarray of shape (n_beats, n_classes), float64
            With two classes of shape (n_beats,): the second logit minus the first.
        """
        logits = self._outputs(X).astype(np.float64)
        is_binary = len(self.classes_) == 2 and not self.multilabel_
        return logits[:, 1] - logits[:, 0] if is_binary else logits

    @parameters_from(fit)
    def features(self, X: ArrayLike) -> np.ndarray:
        """Compute the input of the last layer of the network.

        In this representation a linear layer separates the classes. It is useful for plots and
        as the input of another model.

        Returns
        -------
        ndarray of shape (n_beats, n_features), float32
        """
        return self._outputs(X, "features")

    def _outputs(self, X: ArrayLike, part: str | None = None) -> np.ndarray:
        """Apply the network, or a part of it."""
        if not hasattr(self, "net_"):
            check_is_fitted(self)
        rows = self._read(X, reset=False)
        compute = None if part is None else getattr(self.net_.module_, part)
        with training.torch_threads(self.n_jobs):
            return self.net_.outputs(rows, compute)

    def _read(self, X: ArrayLike, *, reset: bool, unpack: bool = False) -> training.Rows:
        """Check beats and arrange them as rows; `unpack` chunks if their order is random."""
        view = check_beats(self, X, reset=reset)
        return training.Rows(view.unpacked() if unpack else view)

    def _encode(self, y: np.ndarray, classes: np.ndarray | None, *, reset: bool) -> np.ndarray:
        """Convert labels to their positions in ``classes_``, which is set with `reset`.

        An indicator matrix is returned as it is.
        """
        if reset:
            self.multilabel_: bool = y.ndim == 2
            found = np.arange(y.shape[1]) if self.multilabel_ else np.unique(y)
            self.classes_: np.ndarray = found if classes is None else classes
        elif classes is not None and not np.array_equal(classes, self.classes_):
            raise ValueError(
                f"classes={classes.tolist()} is not the same as on the last call to partial_fit, "
                f"{self.classes_.tolist()}."
            )
        n_labels = len(self.classes_) if self.multilabel_ else None
        if (y.shape[1] if y.ndim == 2 else None) != n_labels:
            expected = f"(n_beats, {n_labels})" if n_labels else "(n_beats,)"
            raise ValueError(
                f"y has the shape {y.shape}, but the network was fitted with {expected}: give "
                "labels in the same form, or fit a new estimator."
            )
        if self.multilabel_:
            return y
        unknown = np.setdiff1d(y, self.classes_)
        if len(unknown):
            raise ValueError(
                f"y holds the labels {unknown.tolist()}, which are not among the classes "
                f"{self.classes_.tolist()} of the network."
            )
        return np.searchsorted(self.classes_, y)

    def _check_classes_present(self, codes: np.ndarray) -> None:
        present = self.classes_[np.unique(codes)]
        if len(present) < 2:
            raise ValueError(
                f"y has only one class among the beats of positive weight, {present.tolist()}: a "
                "classifier needs beats of at least 2 classes."
            )

    def _weigh(self, weight: np.ndarray, codes: np.ndarray) -> np.ndarray:
        """Multiply the weights of beats by those of their classes or labels."""
        if self.multilabel_:
            return weigh_labels(self.class_weight, weight, codes)
        return weigh_classes(self.class_weight, weight, codes, self.classes_)

    def _validation_score(self) -> Callable[[training.Rows], float] | None:
        if self.scoring is None and not self.multilabel_:
            return None
        scorer = get_scorer(self.scoring or "accuracy")
        model = copy.copy(self)
        vars(model)["_read"] = lambda rows, reset: rows  # checked before they were held out
        if self.multilabel_:  # scikit-learn would take two columns of labels for two classes
            vars(model)["classes_"] = [np.array([0, 1])] * len(self.classes_)

        def score(rows: training.Rows) -> float:
            y = rows.y if self.multilabel_ else self.classes_[rows.y]
            value = float(scorer(model, rows, y))
            if not np.isfinite(value):
                raise ValueError(
                    f"scoring={self.scoring!r} is {value} for the {len(rows)} held-out beats. "
                    "They may lack a class or a label: raise validation_fraction, or choose "
                    "another metric."
                )
            return value

        return score

    def _make_module(self) -> BeatNetwork:
        encoder = self._make_encoder(self.n_leads_, self.n_samples_)
        dropout = self._per_layer("dense_dropout", "dense")
        head = DenseHead(
            encoder.out_features + self.n_tabular, len(self.classes_), self.dense, dropout
        )
        return BeatNetwork(encoder, head, self.n_leads_, self.n_samples_, self.n_tabular)

    def _make_criterion(self) -> nn.Module:
        if self.loss == "focal":
            if self.label_smoothing:
                raise ValueError(
                    f"label_smoothing={self.label_smoothing} needs loss='cross_entropy': set it "
                    "to 0.0 for the focal loss."
                )
            return training.FocalLoss(self.focal_gamma)
        return training.CrossEntropyLoss(self.label_smoothing)

    def _set_fitted(self, values: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        # A file of an earlier version has no such attribute.
        attributes = {"multilabel_": False, **values["attributes"]}
        super()._set_fitted({**values, "attributes": attributes}, arrays)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
