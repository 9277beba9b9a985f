"""Checks of labels and scores."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.utils.multiclass import type_of_target, unique_labels

from ecgclf._validation import check_same_length
from ecgclf.datasets import AAMI_CLASSES


def in_class_order(labels: Iterable[Any]) -> list[Any]:
    """Sort class labels for reading.

    Parameters
    ----------
    labels : iterable
        Labels of one sortable type; numpy scalars become plain Python ones.

    Returns
    -------
    list
        The distinct labels: in the order N S V F Q if all of them are AAMI classes,
        sorted otherwise.

    Examples
    --------
    >>> in_class_order(["V", "N", "F", "N"])
    ['N', 'V', 'F']
    >>> in_class_order([3, 1, 2])
    [1, 2, 3]
    """
    plain = {getattr(label, "item", lambda label=label: label)() for label in labels}
    if plain <= set(AAMI_CLASSES):
        return sorted(plain, key=AAMI_CLASSES.index)
    return sorted(plain)


def check_beats(values: ArrayLike, name: str) -> np.ndarray:
    """Return one label per beat as an array, or say what is wrong with it."""
    array = np.asarray(values)
    if array.ndim != 1:
        raise ValueError(f"{name} must be 1-D, one label per beat; got shape {array.shape}.")
    if not len(array):
        raise ValueError(f"{name} is empty; expected at least one beat.")
    if missing := int(pd.isna(array).sum()):
        raise ValueError(
            f"{name} misses the label (NaN or None) of {missing} of {len(array)} beats; "
            "leave those beats out."
        )
    if (kind := type_of_target(array)) not in ("binary", "multiclass"):
        raise ValueError(
            f"{name} must hold class labels (strings, integers or booleans); got {kind} "
            f"values of dtype {array.dtype}, such as {array[0]!r}."
        )
    return array


def check_distinct(labels: ArrayLike, name: str) -> np.ndarray:
    """Return a list of classes as an array."""
    array = np.asarray(labels)
    if array.ndim != 1 or not len(array) or len(np.unique(array)) != len(array):
        raise ValueError(f"{name} must list distinct labels; got {labels!r}.")
    return array


def check_order(labels: Sequence[Any] | None, seen: np.ndarray, columns: np.ndarray) -> list[Any]:
    """Return the classes to report, in the order to report them."""
    occurring = in_class_order(unique_labels(seen, columns))
    if labels is None:
        return occurring
    wanted = check_distinct(labels, "labels").tolist()
    if unknown := [label for label in occurring if label not in wanted]:
        raise ValueError(
            f"labels {wanted} lacks {unknown}, which y_true, y_pred or classes hold; add "
            "them to labels, or leave their beats out."
        )
    return wanted


def check_known(y_pred: np.ndarray, columns: np.ndarray) -> None:
    """Refuse predictions of a class that the scores do not know."""
    if unknown := in_class_order(set(y_pred.tolist()) - set(columns.tolist())):
        raise ValueError(
            f"y_pred holds {unknown}, which classes {columns.tolist()} lacks; pass the "
            "classes_ of the estimator that made both y_pred and y_score."
        )


def check_score(
    y_score: ArrayLike, y_pred: np.ndarray, columns: np.ndarray, *, named: bool
) -> np.ndarray:
    """Return one column of scores per class."""
    score = np.asarray(y_score)
    if score.dtype.kind not in "buif":
        raise ValueError(f"y_score must hold real numbers; got dtype {score.dtype}.")
    check_same_length(y_pred, "y_score", np.atleast_1d(score))
    one_column = score.ndim == 1 and len(columns) == 2
    if one_column:
        # The areas depend on ranks only, and for the other class these are reversed.
        score = np.column_stack([-score.astype(float), score])
    if score.ndim != 2 or score.shape[1] != len(columns):
        raise ValueError(
            f"y_score has shape {np.shape(y_score)}; expected one column for each of the "
            f"{len(columns)} classes {columns.tolist()}. If the estimator knows other "
            "classes, pass classes=estimator.classes_."
        )
    if bad := int((~np.isfinite(score)).any(axis=1).sum()):
        raise ValueError(f"y_score holds NaN or infinity in {bad} of {len(score)} beats.")
    if not (named or one_column):
        _check_columns_fit(score, y_pred, columns)
    return score


def _check_columns_fit(score: np.ndarray, y_pred: np.ndarray, columns: np.ndarray) -> None:
    """Refuse scores whose highest column is not the predicted class in most beats.

    A moved threshold makes some beats differ; columns in another order than assumed make
    most of them differ, and would give wrong areas without a sign of it.
    """
    agreement = np.mean(columns[score.argmax(axis=1)] == y_pred)
    if agreement < 0.5:
        raise ValueError(
            f"the highest column of y_score, read as {columns.tolist()}, is that of y_pred "
            f"in only {agreement:.0%} of the beats, so the columns seem to be in another "
            "order; pass classes=estimator.classes_."
        )
