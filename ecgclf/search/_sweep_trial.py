"""One trial of a sweep: from the command line of the agent to what it has to know."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, clone, is_classifier
from sklearn.metrics import check_scoring
from sklearn.model_selection import check_cv
from sklearn.utils.validation import indexable

from ecgclf._extras import import_extra
from ecgclf.search._folds import Folds


def sweep_params(arguments: Sequence[str]) -> dict[str, Any]:
    """Read the parameters that ``wandb agent`` puts on a command line.

    Parameters
    ----------
    arguments : sequence of str
        Each as ``--name=value``, the value as Python prints it: what is no number, list,
        True, False or None is a string.

    Returns
    -------
    dict

    Raises
    ------
    ValueError
        If an argument is of another form, or a name occurs twice.

    Examples
    --------
    >>> sweep_params(["--lr=0.001", "--filters=[16, 32]", "--optimizer=adam"])
    {'lr': 0.001, 'filters': (16, 32), 'optimizer': 'adam'}
    """
    params: dict[str, Any] = {}
    for argument in arguments:
        name, equals, text = argument.partition("=")
        if not (name.startswith("--") and len(name) > 2 and equals):
            raise ValueError(f"{argument!r} on the command line: expected --name=value.")
        name = name[2:]
        if name in params:
            raise ValueError(f"--{name} is given twice on the command line.")
        try:
            value = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            value = text
        params[name] = tuple(value) if isinstance(value, list) else value
    return params


def run_sweep_trial(
    estimator: BaseEstimator,
    params: Mapping[str, Any],
    X: ArrayLike,
    y: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    cv: Any = None,
    scoring: Any = None,
    **init: Any,
) -> float:
    """Score one setting by cross-validation and log it to Weights & Biases.

    Logs for every epoch of the first fold ``epoch``, ``epoch_score`` on the validation beats,
    ``train_loss``, ``lr`` and the like; for every fold ``fold`` and ``fold_score``; and at
    the end their mean, ``score``. The setting is the configuration of the run.

    Parameters
    ----------
    estimator : estimator
        A network, or a pipeline that ends with one. A copy is fitted.
    params : mapping
        The setting, such as `sweep_params` reads it.
    X : array-like of shape (n_beats, n_columns) or (n_beats, n_leads, n_samples)
    y : array-like of shape (n_beats,)
    groups : array-like of shape (n_beats,), optional
        Patient of each beat, for the splitter.
    cv : int, splitter, iterable or None, default=None
        As for `GridSearchCV`.
    scoring : str, callable or None, default=None
        As for `GridSearchCV`; higher is better.
    **init : dict
        For `wandb.init`, such as ``project``.

    Returns
    -------
    float
        The score.

    Raises
    ------
    ImportError
        If wandb is not installed.

    Examples
    --------
    Without an account, and for this example without a trace:

    >>> from ecgclf import ECGMLPClassifier
    >>> from ecgclf.datasets import make_beats
    >>> X, y = make_beats(n_beats=100, random_state=0, return_X_y=True)
    >>> score = run_sweep_trial(
    ...     ECGMLPClassifier(random_state=0), {"max_epochs": 2}, X, y, cv=2, mode="disabled"
    ... )
    >>> 0 <= score <= 1
    True
    """
    wandb = import_extra("wandb", "run_sweep_trial")
    estimator = clone(estimator).set_params(**params)
    X, y, groups = indexable(X, y, groups)
    splits = list(check_cv(cv, y, classifier=is_classifier(estimator)).split(X, y, groups))
    folds = Folds(X, y, splits, check_scoring(estimator, scoring))
    with wandb.init(config=dict(params), **init) as run:

        def log_epoch(epoch: int, score: float, figures: Mapping[str, float]) -> None:
            run.log({**figures, "epoch": epoch, "epoch_score": score})

        scores = []
        for i, score in enumerate(folds.scores(estimator, log_epoch)):
            run.log({"fold": i, "fold_score": score})
            scores.append(score)
        mean = float(np.mean(scores))
        run.log({"score": mean})
    return mean
