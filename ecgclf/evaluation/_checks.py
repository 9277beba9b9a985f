"""Checks of labels and scores."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.utils.multiclass import type_of_target, unique_labels

from ecgclf._validation import check_same_length, to_array
from ecgclf.datasets import AAMI_CLASSES

#: What is accepted as a seed.
RandomState: TypeAlias = int | np.random.RandomState | np.random.Generator | None


def make_generator(random_state: RandomState) -> np.random.Generator:
    """Return a Generator for a seed; None gives a new one, not numpy's global generator."""
    if isinstance(random_state, np.random.RandomState):
        random_state = int(random_state.randint(np.iinfo(np.int32).max))
    return np.random.default_rng(random_state)


def in_class_order(labels: Iterable[Any]) -> list[Any]:
    """Return the distinct labels, in the order N S V F Q or sorted if others occur.

    >>> in_class_order(["V", "N", "F", "N"])
    ['N', 'V', 'F']
    """
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


def check_distinct(labels: ArrayLike, name: str) -> np.ndarray:
    """Check a list of classes, and return it as an array."""
    array = to_array(labels, name)
    if array.ndim != 1 or not len(array) or len(np.unique(array)) != len(array):
        raise ValueError(f"{name} must list distinct labels; got {labels!r}.")
    return array


def check_known(labels: np.ndarray, columns: np.ndarray, name: str, hint: str = "") -> None:
    """Raise a ValueError if `labels`, called `name`, has a class without a column."""
    if unknown := in_class_order(set(labels.tolist()) - set(columns.tolist())):
        raise ValueError(f"{name} holds {unknown}, which classes {columns.tolist()} lacks.{hint}")


def check_order(labels: Sequence[Any] | None, seen: np.ndarray, columns: np.ndarray) -> list[Any]:
    """Return the classes to report, in the order to report them."""
    occurring = in_class_order(unique_labels(seen, columns))
    if labels is None:
        return occurring
    wanted = check_distinct(labels, "labels").tolist()
    if unknown := [label for label in occurring if label not in wanted]:
        raise ValueError(
            f"labels {wanted} lacks {unknown}, which y_true, y_pred or classes hold. Add them to "
            "labels or leave their beats out."
        )
    return wanted


def check_columns(scores: np.ndarray, columns: np.ndarray, name: str, given: ArrayLike) -> None:
    """Raise a ValueError unless `scores` has one column per class."""
    if scores.ndim != 2 or scores.shape[1] != len(columns):
        raise ValueError(
            f"{name} has shape {np.shape(given)}; expected one column for each of the "
            f"{len(columns)} classes {columns.tolist()}. If the estimator has other classes, "
            "pass classes=estimator.classes_."
        )


def check_score(
    y_score: ArrayLike, y_pred: np.ndarray, columns: np.ndarray, *, named: bool
) -> np.ndarray:
    """Check scores, and return them with one column per class.

    If the classes of the columns were not `named`, the column with the highest score must be
    the predicted class in most beats. A moved threshold changes the prediction of some beats,
    but columns in a different order than assumed contradict most of them.
    """
    score = to_array(y_score, "y_score")
    if score.dtype.kind not in "buif":
        raise ValueError(f"y_score must hold real numbers; got dtype {score.dtype}.")
    check_same_length(y_pred, "y_score", np.atleast_1d(score))
    one_column = score.ndim == 1 and len(columns) == 2
    if one_column:
        # The areas depend on ranks only, which are reversed for the other class.
        score = np.column_stack([-score.astype(float), score])
    check_columns(score, columns, "y_score", y_score)
    if bad := int((~np.isfinite(score)).any(axis=1).sum()):
        raise ValueError(f"y_score holds NaN or infinity in {bad} of {len(score)} beats.")
    if not named and not one_column:
        agreement = np.mean(columns[score.argmax(axis=1)] == y_pred)
        if agreement < 0.5:
            raise ValueError(
                f"the columns of y_score are read as {columns.tolist()}, but the highest one is "
                f"the class of y_pred in only {agreement:.0%} of the beats. Pass "
                "classes=estimator.classes_ if their order is different."
            )
    return score
