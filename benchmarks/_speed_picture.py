"""The front of accuracy and time as a picture for the documentation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from ecgclf.plots._style import class_styles

PICTURE = Path(__file__).resolve().parents[1] / "docs" / "images" / "speed-front.png"


def draw_front(rows: list[dict[str, Any]], file: Path = PICTURE) -> None:
    """Draw the accuracy of every run against the minutes of a CPU that it took.

    Parameters
    ----------
    rows : list of dict
        With ``what``, ``minutes`` and ``accuracy``.
    file : Path
    """
    figure = Figure(figsize=(8, 5), layout="constrained")
    ax = figure.subplots()
    table = pd.DataFrame(rows)
    styles = class_styles(table["what"].unique())
    for what, runs in table.groupby("what", sort=False):
        runs = runs.sort_values("minutes")
        ax.plot(runs["minutes"], runs["accuracy"], label=what, **styles[what])
    ax.set(
        xscale="log",
        xlabel="time of one CPU for training and prediction (min)",
        ylabel="accuracy on the Kaggle test rows",
        ylim=(max(0.93, table["accuracy"].min() - 0.002), None),
    )
    ax.grid(alpha=0.3)
    ax.legend(loc="lower right")
    figure.savefig(file, dpi=110)
