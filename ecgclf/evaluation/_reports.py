"""Base classes and formatting of reports."""

from __future__ import annotations

import json
import math
from abc import ABC, abstractmethod
from os import PathLike
from typing import Any, ClassVar, TypeAlias

import numpy as np
import pandas as pd

from ecgclf._files import replacing

#: Printed for an undefined figure.
DASH = "\N{EN DASH}"

_STYLE: dict[str, Any] = {"float_format": "{:.4f}".format, "na_rep": DASH}

#: Part of a report: a sentence, a table or a list of figures.
Part: TypeAlias = str | pd.DataFrame | pd.Series


class PrintedReport(ABC):
    """Base class of reports, which consist of sentences, tables and lists of figures."""

    @abstractmethod
    def _parts(self) -> list[Part]:
        """Return the parts in order."""

    def _figures(self) -> dict[str, Any]:
        """Return what identifies the report in one line."""
        return {name: value for name, value in vars(self).items() if isinstance(value, float)}

    def __repr__(self) -> str:
        figures = ", ".join(
            f"{name}={value:.4f}" if isinstance(value, float) else f"{name}={value!r}"
            for name, value in self._figures().items()
        )
        return f"{type(self).__name__}({figures})"

    def __str__(self) -> str:
        return "\n\n".join(
            part if isinstance(part, str) else part.to_string(**_STYLE) for part in self._parts()
        )

    def _repr_html_(self) -> str:
        return "\n".join(
            f"<p>{part}</p>"
            if isinstance(part, str)
            else pd.DataFrame(part).to_html(header=isinstance(part, pd.DataFrame), **_STYLE)
            for part in self._parts()
        )


class JSONReport(PrintedReport):
    """Base class of reports that can be written as JSON."""

    #: Names of the attributes in the JSON.
    _written: ClassVar[tuple[str, ...]]

    #: When a figure is undefined.
    _undefined: ClassVar[str]

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain Python types, with None for undefined figures.

        Returns
        -------
        dict
            The attributes by name, tables as lists of rows, and ``none_means``, an explanation.
        """
        found = {name: _plain(getattr(self, name)) for name in self._written}
        return {**found, "none_means": self._undefined}

    def to_json(self, path: str | PathLike[str] | None = None) -> str:
        """Return the report as JSON, and write it to a file if `path` is given.

        Parameters
        ----------
        path : str or path-like, optional
            File to write, in UTF-8. Its folder must exist; an existing file is replaced.

        Returns
        -------
        str
            JSON of `to_dict`. Undefined figures are ``null``, because JSON has no NaN.
        """
        text = json.dumps(self.to_dict(), indent=2, allow_nan=False, ensure_ascii=False)
        if path is not None:
            with replacing(path) as part:
                part.write_text(text + "\n", encoding="utf-8")
        return text


def _plain(value: Any) -> Any:
    """Convert a table, an array or a figure to plain Python types, and NaN to None."""
    if isinstance(value, pd.DataFrame):
        return [_plain(row) for row in value.reset_index().to_dict("records")]
    if isinstance(value, dict):
        return {str(name): _plain(figure) for name, figure in value.items()}
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, np.ndarray):
        return value.tolist()
    value = getattr(value, "item", lambda: value)()
    return None if isinstance(value, float) and math.isnan(value) else value


def confusion_parts(matrix: np.ndarray, labels: tuple[Any, ...]) -> list[Part]:
    """Return the parts that show a confusion matrix."""
    title = "Confusion matrix (rows: true class, columns: predicted class)"
    return [title, pd.DataFrame(matrix, index=labels, columns=labels)]


def with_interval(figure: float, low: float, high: float) -> str:
    """Write a figure with its interval, such as ``0.500 [0.250, 0.750]``."""
    return DASH if math.isnan(figure) else f"{figure:.3f} [{low:.3f}, {high:.3f}]"


def shortened(name: Any, longest: int) -> str:
    """Shorten a name, so that a table has at most 80 columns."""
    text = str(name)
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
