"""Hyperparameter search with Optuna and the interface of scikit-learn."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import KW_ONLY
from functools import partial
from numbers import Integral
from typing import Annotated, Any, Literal

import joblib
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, _fit_context, clone, is_classifier
from sklearn.exceptions import FitFailedWarning
from sklearn.metrics import get_scorer_names
from sklearn.model_selection import check_cv
from sklearn.model_selection._search import BaseSearchCV
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.metaestimators import _safe_split
from sklearn.utils.validation import _check_method_params, indexable

from ecgclf._extras import import_extra
from ecgclf._parameters import Parameterized, PositiveInt, RandomState
from ecgclf._validation import new_random_state
from ecgclf.search._conversions import decoded, suggest
from ecgclf.search._space import SearchSpace
from ecgclf.search._study import make_sampler, open_study


# The class of this name in optuna-integration prunes through `partial_fit`, which pipelines do
# not have, and for which learning-rate schedules have no defined length. It also does not check
# that a continued study has the same data and splits.
class OptunaSearchCV(Parameterized, BaseSearchCV):
    """Hyperparameter search with Optuna, scored by cross-validation.

    Like `GridSearchCV <sklearn.model_selection.GridSearchCV>`, but later trials use the results
    of earlier ones, poor trials can be pruned after a few epochs, and a database lets several
    processes share a search and an interrupted search continue.

    Parameters
    ----------
    estimator : estimator
        Estimator with the interface of scikit-learn.
    space : SearchSpace
        Parameters to search and their values.
    n_trials : int, default=20
        Number of complete or pruned trials of the study after `fit`, including those of earlier
        calls and of other processes. Each process running at that moment may add one. A trial
        that fails is not repeated in the same call.
    scoring : str, callable or None, default=None
        As in `GridSearchCV`. Higher is better.
    cv : int, splitter, iterable or None, default=None
        Cross-validation splits. Splitters by patient use the ``groups`` passed to `fit`. A single
        split into training and validation patients is allowed.
    sampler : {"tpe", "grid"} or BaseSampler, default="tpe"
        "tpe" is the tree-structured Parzen estimator [1]_, "grid" tries every cell of the grid.
        A sampler of Optuna uses its own seed.
    n_points : int or None, default=None
        Number of values of a `FloatRange` without a step in the grid.
    pruner : BasePruner or None, default=None
        Pruner of Optuna. It gets the score on the validation beats after every epoch of the
        first fold. Trials that are not pruned are trained on the other folds as well. Needs a
        network of ecgclf, alone or as the last step of a
        `Pipeline <sklearn.pipeline.Pipeline>`.
    storage : str, BaseStorage or None, default=None
        Storage of the study: the URL of a database, such as ``"sqlite:///search.db"``, a storage
        of Optuna, or None for memory. In a database, a trial of a process that ended more than
        a minute ago is repeated.
    study_name : str or None, default=None
        Name of the study in the storage. An existing study is continued.
    refit : bool, default=True
        Fit the estimator with the best parameters on all beats.
    error_score : "raise" or float, default=nan
        "raise" stops the search when a fit fails. With NaN the trial fails with a warning. Any
        other number is its score.
    random_state : int, RandomState or None, default=None
        Seed of "tpe". A trial depends on the seed, its number and the previous trials, so a
        search in one process is reproducible, also if it is continued in several calls.
    verbose : int, default=1
        0 disables the progress bar, which is shown on a terminal only. With 2 or more, Optuna
        logs every trial.

    Attributes
    ----------
    best_params_ : dict
        Parameters of the best trial.
    best_score_ : float
        Mean score of the best trial over the folds. It is optimistic, as the best of many.
    best_estimator_ : estimator
        Estimator fitted with the best parameters. Only with `refit`.
    trials_ : DataFrame
        One row per trial: ``number, state, mean_test_score, std_test_score``, the score of each
        fold, ``duration`` in seconds, and the parameters as ``param_...``.
    study_ : Study
        Study of Optuna, for example for its plots.
    scorer_ : callable
        Scorer used for all folds.
    n_splits_ : int
        Number of folds.

    See Also
    --------
    to_grid, to_distributions : Convert a space for the searches of scikit-learn.

    References
    ----------
    .. [1] J. Bergstra, R. Bardenet, Y. Bengio and B. Kégl, "Algorithms for hyper-parameter
       optimization", NIPS 2011.

    Examples
    --------
    >>> from sklearn.model_selection import StratifiedGroupKFold
    >>> from ecgclf import ECGMLPClassifier
    >>> from ecgclf.datasets import make_beats
    >>> from ecgclf.search import Choice, FloatRange, OptunaSearchCV, SearchSpace
    >>> beats = make_beats(n_beats=200, n_patients=8, random_state=0)
    >>> search = OptunaSearchCV(
    ...     ECGMLPClassifier(max_epochs=2, random_state=0),
    ...     SearchSpace({"lr": FloatRange(1e-4, 1e-2, log=True), "batch_size": Choice([32, 64])}),
    ...     n_trials=3,
    ...     cv=StratifiedGroupKFold(2),
    ...     random_state=0,
    ... ).fit(beats.data, beats.target, groups=beats.groups)
    >>> sorted(search.best_params_), len(search.trials_)
    (['batch_size', 'lr'], 3)
    """

    estimator: BaseEstimator
    space: Annotated[SearchSpace, SearchSpace]
    _: KW_ONLY
    n_trials: PositiveInt = 20
    scoring: Annotated[Any, StrOptions(set(get_scorer_names())), callable, None] = None
    cv: Any = None
    sampler: Literal["tpe", "grid"] | Annotated[Any, HasMethods(["sample_independent"])] = "tpe"
    n_points: Annotated[int, Interval(Integral, 2, None, closed="left")] | None = None
    pruner: Annotated[Any, HasMethods(["prune"])] | None = None
    storage: str | Annotated[Any, HasMethods(["create_new_study"])] | None = None
    study_name: str | None = None
    refit: bool = True
    error_score: Literal["raise"] | float = np.nan
    random_state: RandomState = None
    verbose: int = 1

    @_fit_context(prefer_skip_nested_validation=False)  # the estimator is not validated yet
    def fit(self, X: ArrayLike, y: ArrayLike | None = None, **params: Any) -> OptunaSearchCV:
        """Run trials until the study has `n_trials`, and fit the best parameters.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_columns) or (n_beats, n_leads, n_samples)
            Beats.
        y : array-like of shape (n_beats,)
            Labels.
        **params : dict
            As in `GridSearchCV`: ``groups`` for the splitter, others for `fit` of the estimator.
            With metadata routing, they are passed to the objects that request them.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If a parameter is invalid, the estimator lacks a parameter of the space, no trial
            is complete, or the stored study has another space, scoring, data or splits.
        TypeError
            If `pruner` is given and the estimator has no ``callbacks``.
        ImportError
            If Optuna is not installed.
        """
        optuna = import_extra("optuna", "OptunaSearchCV")
        known = self.estimator.get_params()
        if unknown := [name for name in self.space.parameters if name not in known]:
            raise ValueError(
                f"The space has {unknown[0]!r}, which is not a parameter of "
                f"{type(self.estimator).__name__}. Its parameters are {', '.join(sorted(known))}."
            )
        if self.pruner is not None:
            _callbacks_name(self.estimator)
        X, y = indexable(X, y)
        params = _check_method_params(X, params=params)
        self.scorer_, _ = self._get_scorers()
        self.multimetric_ = False
        routed = self._get_routed_params_for_fit(params)
        cv = check_cv(self.cv, y, classifier=is_classifier(self.estimator))
        splits = list(cv.split(X, y, **routed.splitter.split))
        self.n_splits_ = len(splits)
        about = {
            "space": self.space.as_dict(),
            "scoring": getattr(self.scorer_, "__qualname__", None) or repr(self.scorer_),
            "beats and splits": joblib.hash((np.asarray(X), np.asarray(y), splits)),
        }
        fold_scores = partial(
            _fold_scores,
            X=X,
            y=y,
            splits=splits,
            scorer=self.scorer_,
            fit_params=routed.estimator.fit,
            score_params=routed.scorer.score,
        )
        verbosity = optuna.logging.get_verbosity()
        if self.verbose < 2:
            optuna.logging.set_verbosity(max(verbosity, optuna.logging.WARNING))
        try:
            seed = new_random_state(self.random_state).randint(np.iinfo(np.int32).max)
            sampler = make_sampler(self.sampler, self.space, self.n_points, seed)
            study = open_study(self.storage, self.study_name, sampler, self.pruner, about)
            self._run(optuna, study, fold_scores)
        finally:
            optuna.logging.set_verbosity(verbosity)
        self.study_ = study
        self.trials_ = _trials_frame(study, self.space)
        if not (self.trials_["state"] == "COMPLETE").any():
            raise ValueError(
                f"None of the {len(self.trials_)} trials is complete. Use error_score='raise' to "
                "see the error."
            )
        self.best_params_ = decoded(self.space, study.best_trial.params)
        self.best_score_ = study.best_value
        if self.refit:
            self.best_estimator_ = clone(self.estimator).set_params(**self.best_params_)
            given = (X,) if y is None else (X, y)
            self.best_estimator_.fit(*given, **routed.estimator.fit)
        return self

    def _run(self, optuna: Any, study: Any, fold_scores: Callable[..., Iterator[float]]) -> None:
        """Run the remaining trials."""
        states = optuna.trial.TrialState
        finished = (states.COMPLETE, states.PRUNED)
        left = self.n_trials - len(study.get_trials(deepcopy=False, states=finished))
        exhausted = getattr(study.sampler, "is_exhausted", None)
        if left < 1 or (exhausted is not None and exhausted(study)):
            return
        study.optimize(
            lambda trial: self._score(optuna, trial, fold_scores),
            n_trials=left,
            callbacks=[optuna.study.MaxTrialsCallback(self.n_trials, states=finished)],
            show_progress_bar=bool(self.verbose) and sys.stderr.isatty(),
        )

    def _score(
        self, optuna: Any, trial: Any, fold_scores: Callable[..., Iterator[float]]
    ) -> float:
        """Score the parameters of one trial."""
        params = suggest(self.space, trial)

        def prune(epoch: int, score: float) -> None:
            trial.report(score, epoch)
            if trial.should_prune():
                raise optuna.TrialPruned(f"pruned after epoch {epoch} with score {score:.4f}")

        estimator = clone(self.estimator).set_params(**params)
        try:
            scores = list(fold_scores(estimator, None if self.pruner is None else prune))
        except optuna.TrialPruned:
            raise
        except Exception as error:
            if self.error_score == "raise":
                raise
            warnings.warn(
                f"Trial {trial.number} with {params} failed: {error}",
                FitFailedWarning,
                stacklevel=2,
            )
            return float(self.error_score)
        trial.set_user_attr("scores", scores)
        return float(np.mean(scores))


def _trials_frame(study: Any, space: SearchSpace) -> pd.DataFrame:
    """Make a table of the trials with the column names of scikit-learn's searches."""
    rows = []
    for trial in study.get_trials(deepcopy=False):
        scores = trial.user_attrs.get("scores", [])
        params = decoded(space, trial.params)
        rows.append(
            {
                "number": trial.number,
                "state": trial.state.name,
                "mean_test_score": np.mean(scores) if scores else trial.value,
                "std_test_score": np.std(scores) if scores else np.nan,
                **{f"split{i}_test_score": score for i, score in enumerate(scores)},
                "duration": trial.duration.total_seconds() if trial.duration else np.nan,
                **{f"param_{name}": value for name, value in params.items()},
            }
        )
    return pd.DataFrame(rows)


def _fold_scores(
    estimator: BaseEstimator,
    on_epoch: Callable[[int, float], None] | None,
    *,
    X: Any,
    y: Any,
    splits: Sequence[tuple[np.ndarray, np.ndarray]],
    scorer: Callable[..., float],
    fit_params: dict[str, Any],
    score_params: dict[str, Any],
) -> Iterator[float]:
    """Fit a clone on each fold and yield its score on the other beats.

    `on_epoch` is called after each epoch of the first fold with the number of the epoch and the
    score.
    """
    for i, (train, test) in enumerate(splits):
        fitted = clone(estimator)
        X_train, y_train = _safe_split(fitted, X, y, train)
        X_test, y_test = _safe_split(fitted, X, y, test, train)
        params = _check_method_params(X, score_params, test)
        score = partial(scorer, fitted, X_test, y_test, **params)
        if i == 0 and on_epoch is not None:
            _score_epochs(fitted, score, on_epoch)
        fitted.fit(X_train, y_train, **_check_method_params(X, fit_params, train))
        yield float(score())


def _score_epochs(
    estimator: BaseEstimator, score: Callable[[], float], on_epoch: Callable[[int, float], None]
) -> None:
    """Add a callback to an estimator that scores it after every epoch."""
    from ecgclf.training import AfterEpoch  # imports torch

    # The earlier steps of a pipeline are fitted before the network is.
    name = _callbacks_name(estimator)
    given = estimator.get_params()[name] or []
    added = AfterEpoch(lambda epoch, figures: on_epoch(epoch, float(score())))
    estimator.set_params(**{name: [*given, added]})


def _callbacks_name(estimator: BaseEstimator) -> str:
    """Return the name of the parameter ``callbacks`` of an estimator or of its last step."""
    steps = getattr(estimator, "steps", None)
    name = f"{steps[-1][0]}__callbacks" if steps else "callbacks"
    if name not in estimator.get_params():
        raise TypeError(
            f"Pruning needs an estimator with callbacks, but {type(estimator).__name__} has no "
            f"parameter {name!r}. Use a network of ecgclf, or no pruner."
        )
    return name
