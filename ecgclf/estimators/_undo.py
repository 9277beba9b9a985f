"""Leave an estimator as it was when a method fails."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

S = TypeVar("S")
P = ParamSpec("P")
R = TypeVar("R")


def all_or_nothing(
    method: Callable[Concatenate[S, P], R],
) -> Callable[Concatenate[S, P], R]:
    """Let a method that raises an error leave no half-set attributes behind.

    Without this, an estimator whose second `fit` fails would describe the new data by
    ``n_features_in_`` and ``classes_`` while its network is still the old one. What the
    method changes inside an attribute, such as the weights of a network that is trained
    further, is not undone.
    """

    @functools.wraps(method)
    def guarded(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        before = dict(vars(self))
        try:
            return method(self, *args, **kwargs)
        except BaseException:
            vars(self).clear()
            vars(self).update(before)
            raise

    return guarded
