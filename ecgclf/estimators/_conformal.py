"""Conformal prediction."""

from __future__ import annotations

import warnings
from dataclasses import KW_ONLY
from typing import Annotated, Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, _fit_context, clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils import _safe_indexing, get_tags, indexable
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.validation import _num_samples, check_is_fitted, has_fit_parameter

from ecgclf import training
from ecgclf._docstrings import parameters_from
from ecgclf._parameters import Fraction, Parameterized, RandomState
from ecgclf.estimators._estimator import all_or_nothing
from ecgclf.estimators._inputs import check_labels, number_groups


class ConformalClassifier(Parameterized, ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    r"""Classifier that predicts sets of classes and can abstain.

    Split conformal prediction [1]_, calibrated for each class separately (Mondrian, or
    label-conditional [2]_). A part of the beats is held out from training; its :math:`n_c` beats
    of class :math:`c` have the scores :math:`s_i = 1 - \hat p_c(x_i)`. The set of a new beat
    contains :math:`c` if :math:`1 - \hat p_c(x)` is at most the
    :math:`\lceil (n_c + 1)(1 - \alpha) \rceil`-th smallest score, where :math:`1 - \alpha` is
    `confidence_level`. If new beats of a class are exchangeable with those held out, the sets of
    at least this share of them contain the class, whether it is rare or common. The page
    "Calibration" of the documentation explains the limits of this guarantee.

    Parameters
    ----------
    estimator : classifier
        Any classifier with ``predict_proba``. It is cloned and trained on the beats that are
        not held out. A fitted model in a `sklearn.frozen.FrozenEstimator` is not trained, and
        all beats passed to `fit` are held out; it must not have been trained on them.
    confidence_level : float, default=0.9
        Share of the beats of each class whose set should contain their class.
    calibration_size : float, default=0.2
        Share of the beats to hold out, or of the patients if `fit` is given `groups`.
    abstain_label : label or None, default=None
        Prediction for a beat whose set does not contain exactly one class, such as ``"?"``.
        None never abstains: the most probable class is predicted.
    random_state : int, RandomState or None, default=None
        Seed of the split.

    Attributes
    ----------
    estimator_ : classifier
        The fitted classifier.
    classes_ : ndarray of shape (n_classes,)
        The labels of `estimator_`.
    thresholds_ : ndarray of shape (n_classes,)
        Lowest probability with which each class is in the set. It is minus infinity, so that
        the class is in every set, if too few of its beats were held out.
    n_calibration_ : ndarray of shape (n_classes,)
        Number of held-out beats of each class.
    n_features_in_, feature_names_in_
        Number and names of the columns of `X`, if `estimator_` has these attributes.

    See Also
    --------
    ecgclf.evaluation.coverage_table : Coverage and size of the sets.

    References
    ----------
    .. [1] V. Vovk, A. Gammerman and G. Shafer, "Algorithmic Learning in a Random World",
       Springer, 2005.
    .. [2] M. Sadinle, J. Lei and L. Wasserman, "Least ambiguous set-valued classifiers with
       bounded error levels", J. Am. Stat. Assoc. 114(525), 2019, arXiv:1609.00451.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from ecgclf.datasets import make_beats
    >>> from ecgclf.estimators import ConformalClassifier
    >>> beats = make_beats(n_beats=2000, n_patients=20, random_state=0)
    >>> model = ConformalClassifier(LogisticRegression(max_iter=500), random_state=0)
    >>> model = model.fit(beats.data, beats.target, groups=beats.groups)
    >>> model.predict_set(beats.data).shape
    (2000, 5)
    >>> model.set_params(abstain_label="?").predict(beats.data[:3]).shape
    (3,)
    """

    estimator: Annotated[Any, HasMethods(["fit", "predict_proba"])]
    _: KW_ONLY
    confidence_level: Fraction = 0.9
    calibration_size: Fraction = 0.2
    abstain_label: Any = None
    random_state: RandomState = None

    @_fit_context(prefer_skip_nested_validation=False)
    @all_or_nothing
    def fit(self, X: Any, y: ArrayLike, groups: ArrayLike | None = None) -> ConformalClassifier:
        """Train the estimator on one part of the beats and calibrate on the other.

        Parameters
        ----------
        X : array-like of shape (n_beats, ...)
            The beats, as the estimator takes them.
        y : array-like of shape (n_beats,)
            Labels of the beats.
        groups : array-like of shape (n_beats,), optional
            Patient of each beat. Whole patients are then held out. `groups` is passed on if
            the ``fit`` of the estimator takes it.

        Returns
        -------
        self
            The fitted classifier.

        Raises
        ------
        ValueError
            If parameters or data are not as described, or too few beats are left to train on.

        Warns
        -----
        UserWarning
            If too few beats of a class were held out, so that it is in every set.
        """
        X, y = indexable(X, y)
        y = check_labels(y, _num_samples(X))
        if y.ndim == 2:
            raise ValueError(
                "y is an indicator matrix, but prediction sets are for one label a beat. Fit one "
                f"{type(self).__name__} for each column."
            )
        patients = number_groups(groups, len(y))
        if isinstance(self.estimator, FrozenEstimator):
            held_out = np.arange(len(y))
            self.estimator_ = clone(self.estimator).fit(X, y)
        else:
            train, held_out = self._split(y, patients)
            extra = {}
            if groups is not None and has_fit_parameter(self.estimator, "groups"):
                extra = {"groups": np.asarray(groups)[train]}
            self.estimator_ = clone(self.estimator)
            self.estimator_.fit(_safe_indexing(X, train), y[train], **extra)
        self.classes_: np.ndarray = np.asarray(self.estimator_.classes_)
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(self.estimator_, name):
                setattr(self, name, getattr(self.estimator_, name))
        self._check_abstain_label()
        self._calibrate(_safe_indexing(X, held_out), y[held_out])
        return self

    @parameters_from(fit)
    def predict_set(self, X: Any) -> np.ndarray:
        """Predict the set of classes of each beat.

        Returns
        -------
        ndarray of shape (n_beats, n_classes), bool
            Columns in the order of ``classes_``. An empty set means that the beat is unlike
            all classes; a set of several classes means that it is ambiguous.
        """
        return self.predict_proba(X) >= self.thresholds_

    @parameters_from(fit)
    def predict(self, X: Any) -> np.ndarray:
        """Predict the class of each beat, or abstain.

        Returns
        -------
        ndarray of shape (n_beats,)
            The most probable class. With an `abstain_label`, the only class of the set, or
            this label if the set does not have exactly one class.
        """
        probability = self.predict_proba(X)
        if self.abstain_label is None:
            return self.classes_[probability.argmax(axis=1)]
        self._check_abstain_label()
        sets = probability >= self.thresholds_
        alone = sets.sum(axis=1) == 1
        return np.where(alone, self.classes_[sets.argmax(axis=1)], self.abstain_label)

    @parameters_from(fit)
    def predict_proba(self, X: Any) -> np.ndarray:
        """Predict class probabilities with the estimator.

        Returns
        -------
        ndarray of shape (n_beats, n_classes)
        """
        check_is_fitted(self)
        return self.estimator_.predict_proba(X)

    def _split(self, y: np.ndarray, patients: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        """Split the beats into training and calibration; all classes must be in training."""
        labels, codes = np.unique(y, return_inverse=True)
        if len(labels) < 2:
            raise ValueError(
                f"y has only one class, {labels.tolist()}: a classifier needs at least two."
            )
        held = f"{len(y)} beats" if patients is None else f"{len(np.unique(patients))} patients"
        asked = f"calibration_size={self.calibration_size} of {held}"
        advice = (
            "change calibration_size, pass more beats, or pass a fitted model in a "
            "FrozenEstimator, which calibrates on all beats."
        )
        try:
            seed = training.draw_seed(self.random_state)
            train, held_out = training.hold_out(codes, self.calibration_size, seed, patients)
        except ValueError as error:
            raise ValueError(f"{asked} leaves too few to train on: {advice}") from error
        if missing := np.setdiff1d(labels, y[train]).tolist():
            raise ValueError(f"{asked} leaves no beats of {missing} to train on: {advice}")
        return train, held_out

    def _calibrate(self, X: Any, y: np.ndarray) -> None:
        """Compute the threshold of each class from its held-out beats."""
        if unknown := np.setdiff1d(y, self.classes_).tolist():
            raise ValueError(
                f"y contains {unknown}, but the estimator was trained on "
                f"{self.classes_.tolist()}. Remove these beats."
            )
        probability = self.estimator_.predict_proba(X)
        own = [np.sort(probability[y == c, i])[::-1] for i, c in enumerate(self.classes_)]
        self.n_calibration_ = np.array([len(values) for values in own])
        # Without rounding, (9 + 1) * 0.9 could be more than 9.
        ranks = np.ceil(np.round((self.n_calibration_ + 1) * self.confidence_level, 9))
        self.thresholds_ = np.array(
            [
                values[int(rank) - 1] if rank <= len(values) else -np.inf
                for values, rank in zip(own, ranks)
            ]
        )
        if len(few := np.flatnonzero(np.isneginf(self.thresholds_))):
            needed = int(np.ceil(round(1 / (1 - self.confidence_level), 9))) - 1
            found = dict(zip(self.classes_[few].tolist(), self.n_calibration_[few].tolist()))
            warnings.warn(
                f"Too few beats were held out of {found}: confidence_level="
                f"{self.confidence_level} needs {needed} per class, so these are in every set. "
                "Hold out more, or lower confidence_level.",
                UserWarning,
                stacklevel=5,  # the caller of fit, outside of its decorators
            )

    def _check_abstain_label(self) -> None:
        label, kind = self.abstain_label, self.classes_.dtype.kind
        if label is None:
            return
        if label in self.classes_.tolist():
            raise ValueError(f"abstain_label={label!r} is one of the classes: choose another.")
        if kind != "O" and (kind == "U") != isinstance(label, str):
            raise ValueError(
                f"abstain_label={label!r} must be of the type of the classes, "
                f"{self.classes_.tolist()}: give {'a string' if kind == 'U' else 'a number'}."
            )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        of_estimator = get_tags(self.estimator).input_tags
        for name in ("sparse", "allow_nan", "three_d_array", "pairwise"):
            setattr(tags.input_tags, name, getattr(of_estimator, name))
        return tags
