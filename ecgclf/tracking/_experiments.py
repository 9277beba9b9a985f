"""Estimators and reports as experiment trackers store them."""

from __future__ import annotations

import copy
import math
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator

from ecgclf import persistence
from ecgclf._extras import import_extra
from ecgclf._version import __version__
from ecgclf.evaluation import BeatReport, EC57Report


def flat_params(estimator: BaseEstimator) -> dict[str, Any]:
    """Return the class and the parameters of an estimator as scalars and strings.

    Parameters
    ----------
    estimator : estimator
        Any estimator, such as a network or a pipeline.

    Returns
    -------
    dict
        The class name as ``estimator``, and all parameters except callbacks. An object among
        the parameters is represented by its class name, and its parameters by names with
        ``__``. For ``mlflow.log_params``, ``run.config.update`` of W&B and similar functions.

    Examples
    --------
    >>> from ecgclf import ECGMLPClassifier
    >>> from ecgclf.tracking import flat_params
    >>> params = flat_params(ECGMLPClassifier(dense=(32,)))
    >>> params["estimator"], params["dense"], params["lr"]
    ('ECGMLPClassifier', '(32,)', 0.01)
    """
    params = {
        name: _scalar(value)
        for name, value in estimator.get_params(deep=True).items()
        if name.split("__")[-1] != "callbacks"
    }
    return {"estimator": type(estimator).__name__, **params}


def _scalar(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, type):
        return value.__qualname__
    return type(value).__name__ if hasattr(value, "get_params") else repr(value)


def flat_metrics(report: EC57Report | BeatReport, prefix: str = "") -> dict[str, float]:
    """Return the defined metrics of a report by name.

    Parameters
    ----------
    report : EC57Report or BeatReport
        Result of `ec57_report` or `beat_report`.
    prefix : str, default=""
        Start of all names, such as ``"test/"``.

    Returns
    -------
    dict of str to float
        Names such as ``gross/V/sensitivity`` and ``average/S/f1`` for an `EC57Report`, and
        ``macro_f1`` and ``V/sensitivity`` for a `BeatReport`. For ``mlflow.log_metrics``,
        ``run.summary.update`` of W&B and similar functions.

    Raises
    ------
    TypeError
        If `report` has another type.

    Examples
    --------
    >>> from ecgclf.evaluation import beat_report
    >>> from ecgclf.tracking import flat_metrics
    >>> metrics = flat_metrics(beat_report(list("NNVV"), list("NNNV")))
    >>> metrics["accuracy"], metrics["V/sensitivity"]
    (0.75, 0.5)
    """
    if isinstance(report, EC57Report):
        metrics = {**_cells(report.gross, "gross/"), **_cells(report.average, "average/")}
    elif isinstance(report, BeatReport):
        metrics = {**report.overall, **_cells(report.per_class, "")}
    else:
        raise TypeError(
            f"report is a {type(report).__name__}, expected the result of ec57_report or "
            "beat_report."
        )
    return {
        f"{prefix}{name}": float(value) for name, value in metrics.items() if math.isfinite(value)
    }


def _cells(table: pd.DataFrame, prefix: str) -> dict[str, Any]:
    return {
        f"{prefix}{row}/{column}": value
        for row, cells in table.to_dict("index").items()
        for column, value in cells.items()
    }


def log_model(
    estimator: Any,
    name: str = "model",
    *,
    example: ArrayLike | None = None,
    **contract: Any,
) -> str:
    """Log a fitted model to the active run of MLflow, without pickle.

    ``mlflow.pyfunc.load_model`` loads it for prediction. The file ``data/model.ecgclf`` inside is
    that of `save`, which `ecgclf.load` reads. Callbacks are not saved.

    Parameters
    ----------
    estimator : fitted estimator of ecgclf
        A network, not a pipeline.
    name : str, default="model"
        Name of the model in MLflow.
    example : array-like of shape (n_beats, ...), optional
        A few beats with the type and shape of future input, from which MLflow infers the
        signature. Without it, MLflow does not check inputs.
    **contract : dict
        ``fs``, ``unit`` and ``window``, as in `save` of the estimator.

    Returns
    -------
    str
        URI of the model, for ``mlflow.pyfunc.load_model``.

    Raises
    ------
    TypeError
        If `estimator` is not an estimator of ecgclf.
    ImportError
        If MLflow is not installed.
    PersistenceError
        If a parameter cannot be saved without pickle.

    Examples
    --------
    >>> import mlflow  # doctest: +SKIP
    >>> from ecgclf import ECGMLPClassifier
    >>> from ecgclf.datasets import make_beats
    >>> from ecgclf.tracking import log_model
    >>> X, y = make_beats(n_beats=300, random_state=0, return_X_y=True)
    >>> model = ECGMLPClassifier(max_epochs=2).fit(X, y)
    >>> uri = log_model(model, example=X[:5], unit="mV")  # doctest: +SKIP
    >>> mlflow.pyfunc.load_model(uri).predict(X)  # doctest: +SKIP
    """
    import_extra("mlflow.pyfunc", "log_model")
    mlflow = import_extra("mlflow", "log_model")
    if not hasattr(estimator, "save"):
        raise TypeError(
            f"log_model takes a network of ecgclf, got a {type(estimator).__name__}. Pass the "
            "network itself, or log a file written by joblib.dump."
        )
    model = copy.copy(estimator)
    model.callbacks = None
    signature = None
    if example is not None:
        signature = mlflow.models.infer_signature(example, model.predict(example))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.ecgclf"
        model.save(path, **contract)
        logged = mlflow.pyfunc.log_model(
            name=name,
            loader_module="ecgclf.tracking",
            data_path=str(path),
            signature=signature,
            input_example=example,
            pip_requirements=[f"ecgclf=={__version__}"],
        )
    return logged.model_uri


def _load_pyfunc(path: str) -> Any:
    """Load a model. ``mlflow.pyfunc.load_model`` calls this function by its name."""
    return persistence.load(path)
