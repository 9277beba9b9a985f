"""What a tool keeps of an estimator and of a report: names, and numbers or text."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
from sklearn.base import BaseEstimator

from ecgclf.evaluation import BeatReport, EC57Report


def plain_params(estimator: BaseEstimator) -> dict[str, Any]:
    """Gather the parameters of an estimator as numbers and text.

    Parameters
    ----------
    estimator : estimator

    Returns
    -------
    dict
        With the class of the estimator as ``estimator``, and without callbacks. An object
        among the parameters is the name of its class, and beside it are its parameters.

    Examples
    --------
    >>> from ecgclf import ECGMLPClassifier
    >>> params = plain_params(ECGMLPClassifier(dense=(32,)))
    >>> params["estimator"], params["dense"], params["lr"]
    ('ECGMLPClassifier', '(32,)', 0.01)
    """
    params = {
        name: _plain(value)
        for name, value in estimator.get_params(deep=True).items()
        if name.split("__")[-1] != "callbacks"
    }
    return {"estimator": type(estimator).__name__, **params}


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, type):
        return value.__qualname__
    return type(value).__name__ if hasattr(value, "get_params") else repr(value)


def report_figures(report: EC57Report | BeatReport) -> dict[str, float]:
    """Gather the figures of a report that are defined, by name.

    Parameters
    ----------
    report : EC57Report or BeatReport

    Returns
    -------
    dict of str to float
        Of `EC57Report` such as ``gross/V/sensitivity`` and ``average/S/f1``, of `BeatReport`
        such as ``macro_f1`` and ``V/sensitivity``.

    Raises
    ------
    TypeError
        If it is another report.

    Examples
    --------
    >>> from ecgclf.evaluation import beat_report
    >>> figures = report_figures(beat_report(list("NNVV"), list("NNNV")))
    >>> figures["accuracy"], figures["V/sensitivity"]
    (0.75, 0.5)
    """
    if isinstance(report, EC57Report):
        figures = {**_cells(report.gross, "gross/"), **_cells(report.average, "average/")}
    elif isinstance(report, BeatReport):
        figures = {**report.overall, **_cells(report.per_class, "")}
    else:
        raise TypeError(
            f"report is a {type(report).__name__}, expected what ec57_report or beat_report "
            "returns."
        )
    return {name: float(value) for name, value in figures.items() if math.isfinite(value)}


def _cells(table: pd.DataFrame, prefix: str) -> dict[str, Any]:
    return {
        f"{prefix}{row}/{column}": value
        for row, cells in table.to_dict("index").items()
        for column, value in cells.items()
    }
