"""The report on a classifier's beats: what it holds and how it is shown."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ecgclf.evaluation._printing import DASH, PrintedReport, figures_table

#: Column heads of the printed table.
_HEADS = {
    "sensitivity": "sensitivity",
    "positive_predictivity": "pos. pred.",
    "f1": "F1",
    "auroc": "AUROC",
    "auprc": "AUPRC",
    "support": "beats",
    "patients": "patients",
}

_UNDEFINED = "undefined: the class has no true beats, or none were predicted as it"


@dataclass(frozen=True, eq=False, repr=False)
class BeatReport(PrintedReport):
    """Figures of merit of a beat classifier, as `beat_report` returns them.

    All figures lie between 0 and 1. A figure that the data leave undefined is NaN: the
    sensitivity of a class without true beats, the positive predictivity of a class that
    was never predicted, the F1 of a class that is in neither, the AUROC of a class
    without true beats, without other beats or without scores.

    Attributes
    ----------
    labels : tuple of length n_classes
        The classes, in the order of the rows of `per_class` and `confusion_matrix`.
    confusion_matrix : ndarray of shape (n_classes, n_classes)
        Number of beats; row i holds the beats that are truly of class i, column j those
        predicted as class j.
    per_class : DataFrame of n_classes rows
        Indexed by label, with the columns ``sensitivity`` (recall),
        ``positive_predictivity`` (precision), ``f1``, ``support`` (number of true beats);
        if scores were given ``auroc`` and ``auprc`` (one class against the rest); if
        groups were given ``patients`` (how many have true beats of the class).
    accuracy : float
        Share of beats predicted correctly.
    balanced_accuracy : float
        Mean sensitivity of the classes that have true beats.
    macro_f1 : float
        Mean F1 of the classes that occur among the true or the predicted beats.
    weighted_f1 : float
        Mean F1, each class weighing as much as it has true beats.
    macro_auroc, macro_auprc : float or None
        Means over the classes where the figure is defined; None without scores.
    mean_patient_accuracy : float or None
        Mean of the patients' accuracies, each patient counting the same however many
        beats were recorded; None without groups.
    per_patient : DataFrame or None
        Indexed by group, with the columns ``support`` (number of beats), ``accuracy``
        and, for each class, ``sensitivity_<label>``: NaN where the patient has no true
        beats of the class. None without groups.

    See Also
    --------
    beat_report : Makes the report.
    """

    labels: tuple[Any, ...]
    confusion_matrix: np.ndarray
    per_class: pd.DataFrame
    accuracy: float
    balanced_accuracy: float
    macro_f1: float
    weighted_f1: float
    macro_auroc: float | None = None
    macro_auprc: float | None = None
    mean_patient_accuracy: float | None = None
    per_patient: pd.DataFrame | None = None

    @property
    def n_beats(self) -> int:
        """Number of beats the report is on."""
        return int(self.confusion_matrix.sum())

    @property
    def overall(self) -> dict[str, float]:
        """The figures on all beats together, by name; only those that were asked for."""
        names = (
            "accuracy",
            "balanced_accuracy",
            "macro_f1",
            "weighted_f1",
            "macro_auroc",
            "macro_auprc",
            "mean_patient_accuracy",
        )
        figures = {name: getattr(self, name) for name in names}
        return {name: value for name, value in figures.items() if value is not None}

    def to_frame(self) -> pd.DataFrame:
        """Return the figures as one table.

        Returns
        -------
        DataFrame of n_classes + 3 rows
            The rows of `per_class`, followed by ``"accuracy"`` (over all beats, where
            sensitivity, positive predictivity and F1 are all equal to the accuracy),
            ``"macro average"`` (mean over classes; its sensitivity is the balanced
            accuracy) and ``"weighted average"`` (over classes, weighted by support). An
            average is NaN where the report does not define it: the positive
            predictivity, if a class that occurs was never predicted; AUROC and AUPRC but
            for the macro average.
        """
        table = self.per_class
        occurs, has_beats = table["f1"].notna(), table["support"] > 0
        predictivity = table["positive_predictivity"]
        weight = table["support"] / self.n_beats
        averages = pd.DataFrame(
            {
                "sensitivity": [self.accuracy, self.balanced_accuracy, self.accuracy],
                "positive_predictivity": [
                    self.accuracy,
                    predictivity[occurs].mean(skipna=False),
                    (predictivity * weight)[has_beats].sum(skipna=False),
                ],
                "f1": [self.accuracy, self.macro_f1, self.weighted_f1],
                "support": self.n_beats,
            },
            index=pd.Index(["accuracy", "macro average", "weighted average"]),
        )
        if self.macro_auroc is not None:
            averages["auroc"] = [math.nan, self.macro_auroc, math.nan]
            averages["auprc"] = [math.nan, self.macro_auprc, math.nan]
        if self.per_patient is not None:
            averages["patients"] = len(self.per_patient)
        return pd.concat([table, averages])[list(table.columns)]

    def to_dict(self) -> dict[str, Any]:
        """Return the report in plain Python types, None standing for undefined.

        Returns
        -------
        dict
            With the keys ``n_beats``, ``labels``, ``overall`` (figure by name),
            ``per_class`` (a list of dicts, each with its ``label``),
            ``confusion_matrix`` (list of rows), ``per_patient`` (a list of dicts, each
            with its ``group``, or None) and ``none_means``, a sentence.
        """
        return {
            "n_beats": self.n_beats,
            "labels": list(self.labels),
            "overall": {name: _plain(value) for name, value in self.overall.items()},
            "per_class": _rows(self.per_class, "label"),
            "confusion_matrix": self.confusion_matrix.tolist(),
            "per_patient": (
                None if self.per_patient is None else _rows(self.per_patient, "group")
            ),
            "none_means": _UNDEFINED,
        }

    def to_json(self, path: str | PathLike[str] | None = None) -> str:
        """Return the report as JSON text and write it to a file if one is named.

        Parameters
        ----------
        path : str or path-like, optional
            File to write, in UTF-8; its folder must exist. A file of that name is
            replaced.

        Returns
        -------
        str
            JSON of `to_dict`. Undefined figures are ``null``; NaN, which JSON does not
            know, never appears.
        """
        text = json.dumps(self.to_dict(), indent=2, allow_nan=False, ensure_ascii=False)
        if path is not None:
            Path(path).write_text(text + "\n", encoding="utf-8")
        return text

    def __repr__(self) -> str:
        figures = ", ".join(f"{name}={value:.4f}" for name, value in self.overall.items())
        return f"BeatReport(n_beats={self.n_beats}, {figures})"

    def _parts(self) -> list[str | pd.DataFrame]:
        parts: list[str | pd.DataFrame] = [
            self._headline(),
            self._table(),
            figures_table({_title(name): value for name, value in self.overall.items()}),
            "Confusion matrix (rows: true class, columns: predicted class)",
            self._confusion_frame(),
        ]
        if self.per_class.isna().to_numpy().any():
            parts.append(f"{DASH} {_UNDEFINED}")
        return parts

    def _headline(self) -> str:
        counts = f"{self.n_beats:,} beats, {len(self.labels)} classes"
        if self.per_patient is not None:
            counts += f", {len(self.per_patient)} patients"
        return counts

    def _table(self) -> pd.DataFrame:
        shown = [name for name in _HEADS if name in self.per_class]
        return self.per_class[shown].rename(columns=_HEADS).rename_axis(index=None)

    def _confusion_frame(self) -> pd.DataFrame:
        return pd.DataFrame(self.confusion_matrix, index=self.labels, columns=self.labels)


def _title(name: str) -> str:
    """Turn ``macro_auroc`` into ``macro AUROC``."""
    words = [
        _HEADS[word] if word in ("f1", "auroc", "auprc") else word for word in name.split("_")
    ]
    return " ".join(words)


def _plain(value: Any) -> Any:
    """Turn a numpy scalar into a Python one, and NaN into None."""
    value = getattr(value, "item", lambda: value)()
    return None if isinstance(value, float) and math.isnan(value) else value


def _rows(frame: pd.DataFrame, key: str) -> list[dict[str, Any]]:
    """Turn a frame into one dict per row, its index under `key`."""
    return [
        {str(name): _plain(value) for name, value in row.items()}
        for row in frame.rename_axis(index=key).reset_index().to_dict("records")
    ]
