"""Sets of classes that hold the true one as often as was asked for."""

from __future__ import annotations

import warnings
from numbers import Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, _fit_context, clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils import _safe_indexing, get_tags, indexable
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.validation import _num_samples, check_is_fitted, has_fit_parameter

from ecgclf import training
from ecgclf.estimators._estimator import all_or_nothing
from ecgclf.estimators._inputs import check_labels, number_groups


class ConformalClassifier(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    r"""Predict sets of classes, and abstain where one class alone would claim too much.

    Split conformal prediction [1]_, for each class by itself (Mondrian, or label-conditional
    [2]_): a part of the beats is held out from training, and of these the :math:`n_c` beats of
    class :math:`c` have the scores :math:`s_i = 1 - \hat p_c(x_i)`. A new beat's set holds
    :math:`c` if :math:`1 - \hat p_c(x)` is at most the
    :math:`\lceil (n_c + 1)(1 - \alpha) \rceil`-th smallest of them, where :math:`1 - \alpha` is
    `confidence_level`. If new beats of the class are exchangeable with those held out, the set
    holds the true class of at least so large a share of them, for rare classes as for common
    ones.

    Parameters
    ----------
    estimator : classifier
        With ``predict_proba``. It is cloned and trained on the beats that are not held out. A
        fitted model in a `sklearn.frozen.FrozenEstimator` is left as it is, and all beats
        given to `fit` are held out; it must not have been trained on them.
    confidence_level : float, default=0.9
        Share of the beats of each class whose set is to hold their class.
    calibration_size : float, default=0.2
        Share of the beats, or of the patients if `fit` is given `groups`, that is held out.
    abstain_label : label or None, default=None
        What `predict` says of a beat whose set does not hold exactly one class, such as
        ``"?"``. None never abstains: the most probable class is predicted.
    random_state : int, RandomState or None, default=None
        Seed of the split.

    Attributes
    ----------
    estimator_ : classifier
        The fitted one.
    classes_ : ndarray of shape (n_classes,)
    thresholds_ : ndarray of shape (n_classes,)
        Least probability that brings each class into the set; minus infinity where too few
        beats were held out to tell, so that the class is in every set.
    n_calibration_ : ndarray of shape (n_classes,)
        Number of beats held out of each class.
    n_features_in_ : int
        Only if `estimator_` has it.
    feature_names_in_ : ndarray of str
        Only if `estimator_` has it.

    See Also
    --------
    ecgclf.evaluation.coverage_table : How often sets held the true class, and how large they
        are.
    sklearn.calibration.CalibratedClassifierCV : Probabilities that come true, one number each.

    Notes
    -----
    Beats of one patient are exchangeable with each other, those of two patients are not. Held
    out beats of other patients make the promise hold on average over many draws of patients
    only as far as there are many of them, and say nothing about one new patient. With S beats
    of two patients, the promise for S is about these two.

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

    _parameter_constraints: ClassVar[dict] = {
        "estimator": [HasMethods(["fit", "predict_proba"])],
        "confidence_level": [Interval(Real, 0, 1, closed="neither")],
        "calibration_size": [Interval(Real, 0, 1, closed="neither")],
        "abstain_label": "no_validation",
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator: Any,
        *,
        confidence_level: float = 0.9,
        calibration_size: float = 0.2,
        abstain_label: Any = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.estimator = estimator
        self.confidence_level = confidence_level
        self.calibration_size = calibration_size
        self.abstain_label = abstain_label
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=False)
    @all_or_nothing
    def fit(self, X: Any, y: ArrayLike, groups: ArrayLike | None = None) -> ConformalClassifier:
        """Train the estimator on a part of the beats, and calibrate on the others.

        Parameters
        ----------
        X : array-like of shape (n_beats, ...)
            What the estimator takes.
        y : array-like of shape (n_beats,)
            Labels.
        groups : array-like of shape (n_beats,), optional
            Patient of each beat. Whole patients are then held out. An estimator whose ``fit``
            takes `groups` gets those of its beats.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If parameters or data are not as described, or too few beats are left to train on.

        Warns
        -----
        UserWarning
            If so few beats of a class were held out that it is in every set.
        """
        X, y = indexable(X, y)
        y = check_labels(y, _num_samples(X))
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

    def predict_set(self, X: Any) -> np.ndarray:
        """Predict which classes a beat may be of.

        Parameters
        ----------
        X : array-like of shape (n_beats, ...)

        Returns
        -------
        ndarray of shape (n_beats, n_classes), bool
            Columns as in ``classes_``. A set without classes is of a beat that resembles none
            of them; one with several, of a beat that cannot be told.
        """
        check_is_fitted(self)
        return self._sets_of(self.predict_proba(X))

    def predict(self, X: Any) -> np.ndarray:
        """Predict a class, or abstain.

        Parameters
        ----------
        X : array-like of shape (n_beats, ...)

        Returns
        -------
        ndarray of shape (n_beats,)
            With an `abstain_label`, the class that is alone in its set, or that label. Else
            the most probable class.
        """
        check_is_fitted(self)
        probability = self.predict_proba(X)
        if self.abstain_label is None:
            return self.classes_[probability.argmax(axis=1)]
        self._check_abstain_label()
        sets = self._sets_of(probability)
        alone = sets.sum(axis=1) == 1
        return np.where(alone, self.classes_[sets.argmax(axis=1)], self.abstain_label)

    def predict_proba(self, X: Any) -> np.ndarray:
        """Predict the probabilities of the estimator, unchanged.

        Parameters
        ----------
        X : array-like of shape (n_beats, ...)

        Returns
        -------
        ndarray of shape (n_beats, n_classes)
        """
        check_is_fitted(self)
        return self.estimator_.predict_proba(X)

    def _split(self, y: np.ndarray, patients: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        """Choose what is trained on and what is held out; all classes are trained on."""
        labels, codes = np.unique(y, return_inverse=True)
        if len(labels) < 2:
            raise ValueError(
                f"y has only one class, {labels.tolist()}: a classifier needs at least two."
            )
        held = f"{len(y)} beats" if patients is None else f"{len(np.unique(patients))} patients"
        asked = f"calibration_size={self.calibration_size} of {held}"
        advice = (
            "change calibration_size, give more, or put a fitted model into a FrozenEstimator, "
            "which calibrates on all beats."
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
        """Find the least probability of each class that its held out beats allow."""
        if unknown := np.setdiff1d(y, self.classes_).tolist():
            raise ValueError(
                f"y holds {unknown}, which the estimator has not learned; it knows "
                f"{self.classes_.tolist()}. Leave these beats out."
            )
        probability = self.estimator_.predict_proba(X)
        own = [np.sort(probability[y == c, i])[::-1] for i, c in enumerate(self.classes_)]
        self.n_calibration_ = np.array([len(values) for values in own])
        # The rounding keeps (9 + 1) * 0.9 at 9.
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
                f"{self.confidence_level} needs {needed} of a class, so these are in every set. "
                "Hold out more, or lower confidence_level.",
                UserWarning,
                stacklevel=5,  # the caller of fit, past its decorators
            )

    def _sets_of(self, probability: np.ndarray) -> np.ndarray:
        return probability >= self.thresholds_

    def _check_abstain_label(self) -> None:
        label, kind = self.abstain_label, self.classes_.dtype.kind
        if label is None:
            return
        if label in self.classes_.tolist():
            raise ValueError(f"abstain_label={label!r} is one of the classes: give another.")
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
