"""Whether sets of classes hold the true one."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ecgclf.evaluation._checks import check_beats, check_distinct, check_same_length
from ecgclf.evaluation._class_order import in_class_order


def coverage_table(y_true: ArrayLike, y_set: ArrayLike, *, classes: ArrayLike) -> pd.DataFrame:
    """Tell how often predicted sets of classes held the true one, and how large they were.

    Parameters
    ----------
    y_true : array-like of shape (n_beats,)
        True labels.
    y_set : array-like of shape (n_beats, n_classes), bool
        Which classes the set of each beat holds, as
        `ConformalClassifier.predict_set <ecgclf.estimators.ConformalClassifier.predict_set>`
        gives them.
    classes : array-like of shape (n_classes,)
        The label of each column: ``estimator.classes_``.

    Returns
    -------
    DataFrame
        A row for each class that has beats, and ``"all beats"``. ``beats`` is their number,
        ``coverage`` the share whose set holds the true class, ``mean_size`` the mean number of
        classes in a set, ``single`` the share of sets with exactly one class and ``empty`` of
        those with none.

    Raises
    ------
    ValueError
        If the inputs differ in length, `y_set` is not boolean or has another number of
        columns than there are classes, or a true label has no column.

    Examples
    --------
    >>> from ecgclf.evaluation import coverage_table
    >>> y_set = [[True, False], [True, True], [True, False]]
    >>> coverage_table(["N", "V", "V"], y_set, classes=["N", "V"])
               beats  coverage  mean_size    single  empty
    N              1  1.000000   1.000000  1.000000    0.0
    V              2  0.500000   1.500000  0.500000    0.0
    all beats      3  0.666667   1.333333  0.666667    0.0
    """
    y_true = check_beats(y_true, "y_true")
    columns, sets = check_distinct(classes, "classes"), np.asarray(y_set)
    check_same_length(y_true, "y_set", np.atleast_1d(sets))
    if sets.dtype != bool or sets.shape != (len(y_true), len(columns)):
        raise ValueError(
            f"y_set has shape {sets.shape} and dtype {sets.dtype}; expected a boolean column for "
            f"each of the {len(columns)} classes {columns.tolist()}, as predict_set gives them."
        )
    if unknown := np.setdiff1d(y_true, columns).tolist():
        raise ValueError(f"y_true holds {unknown}, which classes {columns.tolist()} lacks.")
    order = np.argsort(columns)
    place = order[np.searchsorted(columns, y_true, sorter=order)]
    size = sets.sum(axis=1)
    of_beats = pd.DataFrame(
        {
            "coverage": sets[np.arange(len(sets)), place],
            "mean_size": size,
            "single": size == 1,
            "empty": size == 0,
        }
    )
    rows = {label: y_true == label for label in in_class_order(np.unique(y_true))}
    rows["all beats"] = np.ones(len(y_true), dtype=bool)
    return pd.DataFrame(
        {label: {"beats": mask.sum(), **of_beats[mask].mean()} for label, mask in rows.items()}
    ).T.astype({"beats": int})
