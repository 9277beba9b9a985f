"""What all pictures of beats share: the form of the data, the panels, their axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline

#: Beats side by side before the next row begins.
_BEATS_PER_ROW = 4


def beats_in_3d(data: Any, n_leads: int = 1, name: str = "X") -> np.ndarray:
    """Return beats with an axis for their leads, which the columns of a frame lack."""
    data = np.asarray(data)
    if data.ndim == 2 and data.shape[1] % n_leads == 0:
        return data.reshape(len(data), n_leads, data.shape[1] // n_leads)
    if data.ndim != 3:
        raise ValueError(
            f"{name} must be of shape (n_beats, n_samples) or (n_beats, n_leads, "
            f"n_samples); got {data.shape}."
        )
    return data


def signals_of(estimator: Any, X: Any) -> np.ndarray:
    """Return the signals in what a fitted estimator takes, without per-beat features.

    Parameters
    ----------
    estimator : object
        A network of ecgclf, or a Pipeline that ends in one, knows its leads and features; for
        all others a row of 2-D `X` is one lead.
    X : array-like

    Returns
    -------
    ndarray of shape (n_beats, n_leads, n_samples)
    """
    model = estimator[-1] if isinstance(estimator, Pipeline) else estimator
    rows = np.asarray(X)
    if rows.ndim == 2:
        rows = rows[:, : rows.shape[1] - getattr(model, "n_tabular", 0)]
    return beats_in_3d(rows, getattr(model, "n_leads_", 1))


def names_of_leads(lead: Any) -> list[str] | None:
    """Name each channel; one that held several leads gets all their names."""
    if lead is None:
        return None
    return ["/".join(sorted(map(str, set(names.tolist())))) for names in np.asarray(lead).T]


def amplitude_label(unit: str, lead_names: Sequence[str] | None = None, lead: int = 0) -> str:
    """Name an amplitude axis."""
    labels = {"mV": "amplitude (mV)", "scaled": "amplitude (scaled)"}
    if unit not in labels:
        raise ValueError(f"unit is {unit!r}; expected 'mV' or 'scaled'.")
    return (f"{lead_names[lead]}, " if lead_names is not None else "") + labels[unit]


def time_of_samples(n_samples: int, fs: float, before: float, time_unit: str) -> np.ndarray:
    """Give the time of each sample of a beat, with 0 at `before` seconds from its start."""
    per_second = {"s": 1, "ms": 1000}.get(time_unit)
    if per_second is None:
        raise ValueError(f"time_unit is {time_unit!r}; expected 's' or 'ms'.")
    return (np.arange(n_samples) / fs - before) * per_second


def time_label(before: float, time_unit: str) -> str:
    """Name a time axis."""
    origin = "from R peak " if before else ""
    return f"time {origin}({time_unit})"


def panels(plt: Any, ax: Any, shape: tuple[int, int], of_what: str) -> np.ndarray:
    """Return axes to draw on: those given, or those of a new figure.

    Parameters
    ----------
    plt : module
    ax : array of matplotlib Axes or None
    shape : tuple of two ints
        Rows and columns.
    of_what : str
        What they are the panels of, for the message where there are too few or too many.

    Returns
    -------
    ndarray of `shape` of matplotlib Axes

    Raises
    ------
    ValueError
        If `ax` holds another number of axes.
    """
    n_rows, n_columns = shape
    if ax is None:
        _, axes = plt.subplots(
            *shape,
            figsize=(2.3 * n_columns + 0.7, 2.3 * n_rows + 0.7),
            sharex=True,
            sharey="row",
            squeeze=False,
            layout="constrained",
        )
        return axes
    axes = np.asarray(ax, dtype=object)
    if axes.size != n_rows * n_columns:
        raise ValueError(f"ax holds {axes.size} axes; expected {n_rows * n_columns}: {of_what}.")
    return axes.reshape(shape)


def beat_panels(plt: Any, ax: Any, n_beats: int, n_leads: int) -> np.ndarray:
    """Return a panel for each lead of each beat, some beats in a row.

    Returns
    -------
    ndarray of shape (n_leads, n_beats) of matplotlib Axes
    """
    if ax is not None:
        return panels(plt, ax, (n_leads, n_beats), f"{n_leads} leads times {n_beats} beats")
    n_columns = min(n_beats, _BEATS_PER_ROW)
    n_rows = -(-n_beats // n_columns)
    drawn = panels(plt, None, (n_rows * n_leads, n_columns), "")
    # From (rows of beats, leads, beats in a row) to (leads, beats).
    ordered = drawn.reshape(n_rows, n_leads, n_columns).swapaxes(0, 1).reshape(n_leads, -1)
    for panel in ordered[:, n_beats:].ravel():
        panel.remove()
    axes = ordered[:, :n_beats]
    for panel in axes[-1, max(0, n_beats - n_columns) :]:
        panel.tick_params(labelbottom=True)  # it may have nothing below it
    return axes


def label_panels(
    axes: np.ndarray, *, unit: str, before: float, time_unit: str, lead_names: Any
) -> None:
    """Name the axes at the left and lower edge of panels of shape (n_leads, n_beats)."""
    for (lead, beat), panel in np.ndenumerate(axes):
        panel.grid(alpha=0.3)
        panel.margins(x=0)
        position = panel.get_subplotspec()
        if position is None or position.is_first_col() or beat == 0:
            panel.set_ylabel(amplitude_label(unit, lead_names, lead))
        below = axes.shape[1] - beat <= _BEATS_PER_ROW
        if lead == len(axes) - 1 and below:
            panel.set_xlabel(time_label(before, time_unit))


def add_legend(ax: Any, axes: np.ndarray, handles: Sequence[Any]) -> None:
    """Explain the lines: below a figure of its own, in the first of axes that were given."""
    if ax is None:
        axes.flat[0].figure.legend(
            handles=handles, loc="outside lower center", ncols=len(handles), fontsize="small"
        )
    else:
        axes.flat[0].legend(handles=handles, fontsize="small")
