"""Checks of labels and scores."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.utils.multiclass import type_of_target

from ecgclf._validation import check_same_length, to_array
from ecgclf.datasets import AAMI_CLASSES

#: What is accepted as a seed.
RandomState: TypeAlias = int | np.random.RandomState | np.random.Generator | None


def make_generator(random_state: RandomState) -> np.random.Generator:
    """Return a Generator for a seed; None gives a new one, not numpy's global generator."""
    if isinstance(random_state, np.random.RandomState):
        random_state = int(random_state.randint(np.iinfo(np.int32).max))
    return np.random.default_rng(random_state)


def draw_seed(random_state: RandomState) -> int:
    """Draw a seed, for several identical sequences of random numbers."""
    return int(make_generator(random_state).integers(2**31))


def in_class_order(labels: Iterable[Any]) -> list[Any]:
    """Return the distinct labels, in the order N S V F Q or sorted if others occur."""
    plain = {getattr(label, "item", lambda label=label: label)() for label in labels}
    if plain <= set(AAMI_CLASSES):
        return sorted(plain, key=AAMI_CLASSES.index)
    return sorted(plain)


def list_some(values: Iterable[Any]) -> str:
    """List up to five values for a message."""
    names = [*map(str, values)]
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def check_beats(values: ArrayLike, name: str) -> np.ndarray:
    """Check the labels of beats, and return them as an array."""
    array = to_array(values, name)
    if array.ndim != 1:
        raise ValueError(f"{name} must be 1-D, one label per beat; got shape {array.shape}.")
    if not len(array):
        raise ValueError(f"{name} is empty; expected at least one beat.")
    if missing := int(pd.isna(array).sum()):
        raise ValueError(
            f"{name} has no label (NaN or None) for {missing} of {len(array)} beats. Leave those "
            "beats out."
        )
    if (kind := type_of_target(array)) not in ("binary", "multiclass"):
        raise ValueError(
            f"{name} must hold class labels (strings, integers or booleans); got {kind} "
            f"values of dtype {array.dtype}, such as {array[0]!r}."
        )
    return array


def check_predictions(
    y_true: ArrayLike, y_pred: ArrayLike, name: str = "y_pred"
) -> tuple[np.ndarray, np.ndarray]:
    """Check the labels of beats and their predictions, and return both as arrays."""
    true, pred = check_beats(y_true, "y_true"), check_beats(y_pred, name)
    check_same_length(true, name, pred)
    return true, pred


def check_distinct(labels: ArrayLike, name: str) -> np.ndarray:
    """Check a list of classes, and return it as an array."""
    array = to_array(labels, name)
    if array.ndim != 1 or not len(array) or len(np.unique(array)) != len(array):
        raise ValueError(f"{name} must list distinct labels; got {labels!r}.")
    return array


def check_known(labels: np.ndarray, columns: np.ndarray, name: str) -> None:
    """Raise a ValueError if `labels`, called `name`, has a class without a column."""
    if unknown := in_class_order(set(labels.tolist()) - set(columns.tolist())):
        raise ValueError(
            f"{name} holds {unknown}, which classes {columns.tolist()} lacks. Pass the classes_ "
            "of the estimator that made the predictions, or leave those beats out."
        )


def check_classes(y_true: np.ndarray, classes: ArrayLike | None) -> np.ndarray:
    """Return the classes of the columns, by default the sorted labels of `y_true`."""
    columns = np.unique(y_true) if classes is None else check_distinct(classes, "classes")
    check_known(y_true, columns, "y_true")
    return columns


def check_scores(
    y_score: ArrayLike,
    y_true: np.ndarray,
    columns: np.ndarray,
    name: str = "y_score",
    *,
    total: float = 0.0,
) -> np.ndarray:
    """Check scores, and return them as floats with one column per class."""
    score = to_array(y_score, name)
    if score.dtype.kind not in "buifO":
        raise ValueError(f"{name} must hold real numbers; got dtype {score.dtype}.")
    check_same_length(y_true, name, np.atleast_1d(score))
    score = score.astype(float)
    if score.ndim == 1 and len(columns) == 2:
        # The sum matters for probabilities only: areas depend on ranks.
        score = np.column_stack([total - score, score])
    if score.ndim != 2 or score.shape[1] != len(columns):
        raise ValueError(
            f"{name} has shape {score.shape}; expected one column for each of the "
            f"{len(columns)} classes {columns.tolist()}. If the estimator has other classes, "
            "pass classes=estimator.classes_."
        )
    check_finite(score, name)
    return score


def check_finite(score: np.ndarray, name: str) -> None:
    """Raise a ValueError if `score`, called `name`, is not finite."""
    if bad := int((~np.isfinite(score)).any(axis=1).sum()):
        raise ValueError(f"{name} holds NaN or infinity in {bad} of {len(score)} rows.")
