"""Score an estimator on the folds of a cross-validation, with a look at the first one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.utils.metaestimators import _safe_split
from sklearn.utils.validation import _check_method_params

#: Called after an epoch with its number, the score on the validation beats and its figures.
Onlooker = Callable[[int, float, Mapping[str, float]], None]


@dataclass(frozen=True)
class Folds:
    """The beats, their splits and the score that counts."""

    X: Any
    y: Any
    splits: Sequence[tuple[np.ndarray, np.ndarray]]
    scorer: Callable[..., float]
    fit_params: Mapping[str, Any] = field(default_factory=dict)
    score_params: Mapping[str, Any] = field(default_factory=dict)

    def scores(
        self, estimator: BaseEstimator, onlooker: Onlooker | None = None
    ) -> Iterator[float]:
        """Fit a clone on each fold and score it on the rest.

        Parameters
        ----------
        estimator : estimator
        onlooker : callable, optional
            Looks at the epochs of the first fold.

        Yields
        ------
        float
        """
        for i, (train, test) in enumerate(self.splits):
            fitted = clone(estimator)
            X, y = _safe_split(fitted, self.X, self.y, train)
            X_test, y_test = _safe_split(fitted, self.X, self.y, test, train)
            score_params = _check_method_params(self.X, dict(self.score_params), test)

            # The parts are bound now: the loop goes on before a callback is forgotten.
            def score(
                fitted: BaseEstimator = fitted,
                parts: tuple = (X_test, y_test),
                score_params: dict = score_params,
            ) -> float:
                return float(self.scorer(fitted, *parts, **score_params))

            if i == 0 and onlooker is not None:
                _watch(fitted, score, onlooker)
            fitted.fit(X, y, **_check_method_params(self.X, dict(self.fit_params), train))
            yield score()


def _watch(estimator: BaseEstimator, score: Callable[[], float], onlooker: Onlooker) -> None:
    """Let `onlooker` see how the score goes from epoch to epoch."""
    from ecgclf.training import AfterEpoch  # torch is loaded only where epochs are

    def tell(epoch: int, figures: dict[str, Any]) -> None:
        onlooker(epoch, score(), figures)

    # The steps before the last one are fitted by the time that the network trains.
    name = callbacks_of(estimator)
    given = estimator.get_params()[name] or []
    estimator.set_params(**{name: [*given, AfterEpoch(tell)]})


def callbacks_of(estimator: BaseEstimator) -> str:
    """Find the name of the parameter by which one can look at the epochs of an estimator.

    Parameters
    ----------
    estimator : estimator

    Returns
    -------
    str

    Raises
    ------
    TypeError
        If there is none.
    """
    steps = getattr(estimator, "steps", None)
    name = f"{steps[-1][0]}__callbacks" if steps else "callbacks"
    if name not in estimator.get_params():
        raise TypeError(
            f"{type(estimator).__name__} has no parameter {name!r}, so that nobody can look at "
            "its epochs: give a network of ecgclf, or a Pipeline that ends with one, or leave "
            "the pruner out."
        )
    return name
