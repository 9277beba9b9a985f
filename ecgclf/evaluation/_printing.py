"""How every report is printed, in a terminal and in a notebook."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import pandas as pd

#: Stands for an undefined figure in print.
DASH = "\N{EN DASH}"

_STYLE: dict[str, Any] = {"float_format": "{:.4f}".format, "na_rep": DASH}


class PrintedReport(ABC):
    """Prints the parts that a report consists of: sentences and tables.

    A table with one column named ``""`` is a list of figures and is printed without heads.
    """

    @abstractmethod
    def _parts(self) -> list[str | pd.DataFrame]:
        """Give the sentences and tables in order."""

    def __str__(self) -> str:
        return "\n\n".join(
            part if isinstance(part, str) else _as_text(part) for part in self._parts()
        )

    def _repr_html_(self) -> str:
        return "\n".join(
            f"<p>{part}</p>"
            if isinstance(part, str)
            else part.to_html(header=_has_heads(part), **_STYLE)
            for part in self._parts()
        )


def figures_table(figures: dict[str, Any]) -> pd.DataFrame:
    """Return named figures as a table without heads."""
    return pd.DataFrame({"": figures})


def _has_heads(table: pd.DataFrame) -> bool:
    return list(table.columns) != [""]


def _as_text(table: pd.DataFrame) -> str:
    if _has_heads(table):
        return table.to_string(**_STYLE)
    width = max(map(len, table.index))
    figures = (_STYLE["float_format"](value) for value in table[""])
    shown = (DASH if figure == "nan" else figure for figure in figures)
    return "\n".join(f"{name:<{width}}  {figure}" for name, figure in zip(table.index, shown))
