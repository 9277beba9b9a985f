"""What single patients or records do to a figure."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ecgclf.evaluation._patients import Metrics, Patients


def figures_without(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    groups: ArrayLike,
    leave_out: Collection[Any],
    metrics: Metrics = None,
) -> pd.DataFrame:
    """Give figures of merit with and without some records.

    Three in four S beats of DS2 are of record 232, so that the figures of S are about one
    person. Report them without that person too.

    Parameters
    ----------
    y_true : array-like of shape (n_beats,)
        True labels.
    y_pred : array-like of shape (n_beats,) or (n_beats, ...)
        Predicted labels, or what `metrics` take as their second argument.
    groups : array-like of shape (n_beats,)
        The record, or the patient, of each beat.
    leave_out : collection
        The records to leave out, such as ``["232"]``.
    metrics : callable, sequence or dict of callables, optional
        As in `patient_intervals`.

    Returns
    -------
    DataFrame of n_metrics rows
        With the columns ``all``, ``without`` (the records) and ``alone`` (they alone). A
        class that has no beats on one side has NaN there.

    Raises
    ------
    ValueError
        If the inputs are empty, differ in length or miss values; if `leave_out` names
        records that are not there, none, or all.

    Examples
    --------
    >>> from ecgclf.evaluation import Sensitivity, figures_without
    >>> record = ["231"] * 4 + ["232"] * 6
    >>> y_true = list("NSSN") + list("SSSSSN")
    >>> y_pred = list("NNSN") + list("SSSSSN")
    >>> figures_without(y_true, y_pred, record, ["232"], Sensitivity("S")).round(2)
                    all  without  alone
    S sensitivity  0.86      0.5    1.0
    """
    patients = Patients(y_true, groups)
    if isinstance(leave_out, str):
        raise ValueError(f"leave_out is {leave_out!r}; expected a list such as [{leave_out!r}].")
    present = patients.names.tolist()
    if unknown := [name for name in leave_out if name not in present]:
        raise ValueError(f"leave_out names {unknown}, which groups lacks: {present[:5]}, ...")
    alone = np.isin(patients.names, list(leave_out))
    if alone.all() or not alone.any():
        raise ValueError(
            f"leave_out names {alone.sum()} of {len(present)} records; expected some, not all."
        )
    sides = {"all": np.ones_like(alone), "without": ~alone, "alone": alone}
    rows = {}
    for name, metric in patients.metrics(metrics, y_pred).items():
        figure = patients.statistic(metric, y_pred)
        rows[name] = [float(figure(np.flatnonzero(side))) for side in sides.values()]
    return pd.DataFrame.from_dict(rows, orient="index", columns=list(sides))
