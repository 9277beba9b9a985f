"""Search with Optuna, by scikit-learn's manners."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from numbers import Integral, Real
from typing import Any, ClassVar, Literal

import joblib
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, _fit_context, clone, is_classifier
from sklearn.exceptions import FitFailedWarning
from sklearn.metrics import get_scorer_names
from sklearn.model_selection import check_cv
from sklearn.model_selection._search import BaseSearchCV
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import _check_method_params, indexable

from ecgclf._extras import import_extra
from ecgclf.search._folds import Folds, callbacks_of
from ecgclf.search._sampler import make_sampler
from ecgclf.search._space import SearchSpace
from ecgclf.search._study import open_study
from ecgclf.search._suggestions import from_optuna, suggest


class OptunaSearchCV(BaseSearchCV):
    """Search parameters with Optuna, scored by cross-validation.

    As `GridSearchCV <sklearn.model_selection.GridSearchCV>`, but each trial learns from those
    before, hopeless ones can be ended after a few epochs, and a database lets several
    processes share a search and a killed one go on.

    Parameters
    ----------
    estimator : estimator
        Any of scikit-learn's kind.
    space : SearchSpace
    n_trials : int, default=20
        Trials that the study shall have when `fit` returns, complete or pruned, those of
        earlier calls and of other processes included. Each process that runs at that moment
        may add one. A trial that fails is not repeated in the same call.
    scoring : str, callable or None, default=None
        As for `GridSearchCV`; higher is better.
    cv : int, splitter, iterable or None, default=None
        Splits by patient read `groups`, which `fit` passes on. One split into training and
        validation patients serves too.
    sampler : {"tpe", "grid"} or BaseSampler, default="tpe"
        The tree-structured Parzen estimator [1]_, every cell of the grid in turn, or a
        sampler of Optuna, which then brings its own seed.
    n_points : int or None, default=None
        Values that the grid takes of a `FloatRange` without a step.
    pruner : BasePruner or None, default=None
        A pruner of Optuna. It is told the score on the validation beats after every epoch of
        the first fold; a trial that survives is trained on the other folds as well. Needs a
        network, alone or at the end of a `Pipeline <sklearn.pipeline.Pipeline>`.
    storage : str, BaseStorage or None, default=None
        Where the study is kept: the URL of a database, such as ``"sqlite:///search.db"``, or
        memory. In a database, a trial whose process has been dead for a minute is repeated.
    study_name : str or None, default=None
        Name of the study in the storage. One that is there is continued.
    refit : bool, default=True
        Fit the best setting on all beats.
    error_score : "raise" or float, default=nan
        "raise" ends the search when a fit fails. NaN lets the trial fail, with a warning; a
        number is its score.
    random_state : int, RandomState or None, default=None
        Seed of "tpe". Trial i depends on it, on i and on the trials before, so that a search in
        one process gives the same result every time, also in several calls.
    verbose : int, default=1
        0 shows no progress bar. There is none either if the standard error is no terminal.
        From 2 on, Optuna logs every trial.

    Attributes
    ----------
    best_params_ : dict
    best_score_ : float
        Mean over the folds; too good, as the best of many.
    best_estimator_ : estimator
        Only with `refit`.
    trials_ : DataFrame
        A row a trial: ``number, state, mean_test_score, std_test_score``, the score of each
        fold, ``duration`` in seconds, and the parameters as ``param_...``.
    study_ : Study
        For all that Optuna can do with it, its plots among others.
    scorer_ : callable
    n_splits_ : int

    See Also
    --------
    to_grid, to_distributions : the same space for scikit-learn's searches.

    Notes
    -----
    ``OptunaSearchCV`` of optuna-integration prunes through ``partial_fit``, which a pipeline
    does not have and for which a learning-rate schedule has no end. Here a pruned training is
    the beginning of the whole one.

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

    _parameter_constraints: ClassVar[dict] = {
        "estimator": [HasMethods(["fit"])],
        "space": [SearchSpace],
        "n_trials": [Interval(Integral, 1, None, closed="left")],
        "scoring": [StrOptions(set(get_scorer_names())), callable, None],
        "cv": ["cv_object"],
        "sampler": [StrOptions({"tpe", "grid"}), HasMethods(["sample_independent"])],
        "n_points": [Interval(Integral, 2, None, closed="left"), None],
        "pruner": [HasMethods(["prune"]), None],
        "storage": [str, HasMethods(["create_new_study"]), None],
        "study_name": [str, None],
        "refit": ["boolean"],
        "error_score": [StrOptions({"raise"}), Real],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        estimator: BaseEstimator,
        space: SearchSpace,
        *,
        n_trials: int = 20,
        scoring: Any = None,
        cv: Any = None,
        sampler: Literal["tpe", "grid"] | Any = "tpe",
        n_points: int | None = None,
        pruner: Any = None,
        storage: Any = None,
        study_name: str | None = None,
        refit: bool = True,
        error_score: Literal["raise"] | float = np.nan,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 1,
    ) -> None:
        super().__init__(
            estimator,
            scoring=scoring,
            refit=refit,
            cv=cv,
            verbose=verbose,
            error_score=error_score,
        )
        self.space = space
        self.n_trials = n_trials
        self.sampler = sampler
        self.n_points = n_points
        self.pruner = pruner
        self.storage = storage
        self.study_name = study_name
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=False)  # the estimator is not validated yet
    def fit(self, X: ArrayLike, y: ArrayLike | None = None, **params: Any) -> OptunaSearchCV:
        """Run trials until the study has `n_trials`, and fit the best setting.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_columns) or (n_beats, n_leads, n_samples)
        y : array-like of shape (n_beats,)
        **params : dict
            As for `GridSearchCV`: ``groups`` for the splitter, the rest for `fit` of the
            estimator; with metadata routing, each to those who ask for it.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If a parameter is not as described, the estimator lacks one of the space, no trial
            was completed, or the stored study was about something else.
        TypeError
            If there is a pruner, but no network that it could look at.
        ImportError
            If Optuna is not installed.
        """
        optuna = import_extra("optuna", "OptunaSearchCV")
        known = self.estimator.get_params()
        if unknown := [name for name in self.space.parameters if name not in known]:
            raise ValueError(
                f"The space has {unknown[0]!r}, which is no parameter of "
                f"{type(self.estimator).__name__}; it has {', '.join(sorted(known))}."
            )
        if self.pruner is not None:
            callbacks_of(self.estimator)
        X, y = indexable(X, y)
        params = _check_method_params(X, params=params)
        self.scorer_, _ = self._get_scorers()
        self.multimetric_ = False
        routed = self._get_routed_params_for_fit(params)
        cv = check_cv(self.cv, y, classifier=is_classifier(self.estimator))
        splits = list(cv.split(X, y, **routed.splitter.split))
        self.n_splits_ = len(splits)
        folds = Folds(X, y, splits, self.scorer_, routed.estimator.fit, routed.scorer.score)
        with _logging(optuna, self.verbose):
            study = open_study(
                self.storage,
                self.study_name,
                make_sampler(self.sampler, self.space, self.n_points, _seed(self.random_state)),
                self.pruner,
                {
                    "space": self.space.as_dict(),
                    "scoring": getattr(self.scorer_, "__qualname__", None) or repr(self.scorer_),
                    "beats and splits": joblib.hash((np.asarray(X), np.asarray(y), splits)),
                },
            )
            self._run(optuna, study, folds)
        self.study_ = study
        self.trials_ = _trials_frame(study, self.space)
        if not (self.trials_["state"] == "COMPLETE").any():
            raise ValueError(
                f"None of {len(self.trials_)} trials was completed: error_score='raise' shows "
                "the error of the first that fails."
            )
        self.best_params_ = from_optuna(self.space, study.best_trial.params)
        self.best_score_ = study.best_value
        if self.refit:
            self.best_estimator_ = clone(self.estimator).set_params(**self.best_params_)
            given = (X,) if y is None else (X, y)
            self.best_estimator_.fit(*given, **routed.estimator.fit)
        return self

    def _run(self, optuna: Any, study: Any, folds: Folds) -> None:
        """Run what is left of the trials."""
        states = optuna.trial.TrialState
        finished = (states.COMPLETE, states.PRUNED)
        left = self.n_trials - len(study.get_trials(deepcopy=False, states=finished))
        exhausted = getattr(study.sampler, "is_exhausted", None)
        if left < 1 or (exhausted is not None and exhausted(study)):
            return
        study.optimize(
            lambda trial: self._score(optuna, trial, suggest(self.space, trial), folds),
            n_trials=left,
            callbacks=[optuna.study.MaxTrialsCallback(self.n_trials, states=finished)],
            show_progress_bar=bool(self.verbose) and sys.stderr.isatty(),
        )

    def _score(self, optuna: Any, trial: Any, params: dict[str, Any], folds: Folds) -> float:
        """Score one setting."""

        def prune(epoch: int, score: float, figures: Mapping[str, float]) -> None:
            trial.report(score, epoch)
            if trial.should_prune():
                raise optuna.TrialPruned(f"pruned after epoch {epoch} with score {score:.4f}")

        estimator = clone(self.estimator).set_params(**params)
        try:
            scores = list(folds.scores(estimator, prune if self.pruner is not None else None))
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


def _seed(random_state: int | np.random.RandomState | None) -> int:
    """Draw the seed of the sampler, of None without touching numpy's global generator."""
    if random_state is None:
        random_state = np.random.RandomState()
    return int(check_random_state(random_state).randint(np.iinfo(np.int32).max))


@contextmanager
def _logging(optuna: Any, verbose: int) -> Iterator[None]:
    """Let Optuna tell of every trial only if asked to."""
    before = optuna.logging.get_verbosity()
    if verbose < 2:
        optuna.logging.set_verbosity(max(before, optuna.logging.WARNING))
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)


def _trials_frame(study: Any, space: SearchSpace) -> pd.DataFrame:
    """Put the trials into a table, under the names that scikit-learn's searches use."""
    rows = []
    for trial in study.get_trials(deepcopy=False):
        scores = trial.user_attrs.get("scores", [])
        params = from_optuna(space, trial.params)
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
