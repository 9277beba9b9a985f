"""Base classes, colours and axes of displays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import KW_ONLY, dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from sklearn.pipeline import Pipeline

from ecgclf._extras import import_extra

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Colours that remain distinct in colour-blind vision: Okabe and Ito, "Color universal
#: design", 2008, without the yellow, which is too pale for lines on white.
COLORS: dict[str, str] = {
    "black": "#000000",
    "orange": "#E69F00",
    "sky blue": "#56B4E9",
    "green": "#009E73",
    "blue": "#0072B2",
    "vermilion": "#D55E00",
    "purple": "#CC79A7",
}

_ORDER = ("black", "vermilion", "blue", "orange", "green", "purple", "sky blue")
_LINES = ("-", "--", "-.", ":", (0, (6, 1)), (0, (4, 1, 1, 1, 1, 1)), (0, (1, 3)))
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")

_AMPLITUDES = {"mV": "amplitude (mV)", "scaled": "amplitude (scaled)"}


def class_styles(labels: Iterable[Any]) -> dict[Any, dict[str, Any]]:
    """Assign a colour, a line style and a marker to each class.

    Parameters
    ----------
    labels : iterable
        The classes.

    Returns
    -------
    dict of label to dict
        With the keys ``color``, ``linestyle`` and ``marker``. Up to seven classes differ in
        all three, up to 49 in their combination.

    Examples
    --------
    >>> class_styles(["N", "V"])["V"]
    {'color': '#D55E00', 'linestyle': '--', 'marker': 's'}
    """
    styles = {}
    for i, label in enumerate(labels):
        color, other = i % 7, (i + i // 7) % 7
        styles[label] = {
            "color": COLORS[_ORDER[color]],
            "linestyle": _LINES[other],
            "marker": _MARKERS[other],
        }
    return styles


def pyplot(caller: str) -> ModuleType:
    """Import ``matplotlib.pyplot``; the ImportError names the `caller` that needs it."""
    return import_extra("matplotlib.pyplot", caller)


class Display:
    """Base class of displays.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes of the plot; the first if there are several.
    figure_ : matplotlib Figure
        Figure of `ax_`.
    """

    ax_: Any
    figure_: Any

    def _set_axes(self, ax: Axes | None, figsize: tuple[float, float]) -> Any:
        """Set the attributes to `ax`, or to the axes of a new figure, and return the axes."""
        plt = pyplot(type(self).__name__)
        if ax is None:
            _, ax = plt.subplots(figsize=figsize, layout="constrained")
        self.ax_, self.figure_ = ax, ax.figure
        return ax


@dataclass(eq=False, repr=False)
class PanelDisplay(Display):
    """Base class of displays with one row of panels per lead.

    Parameters
    ----------
    fs : float
        Sampling rate in Hz.
    before : float, default=0
        Seconds from the start of each beat's window to its R peak. The R peak is the zero of
        the time axis.
    unit : {"mV", "scaled"}, default="mV"
        Unit of the amplitudes; ``"scaled"`` for signals without a unit.
    lead_names : sequence of str, optional
        Name of each lead.

    Attributes
    ----------
    axes_ : ndarray of shape (n_leads, n_columns) of matplotlib Axes
        The panels; the columns are beats or classes.
    """

    _: KW_ONLY
    fs: float
    before: float = 0.0
    unit: Literal["mV", "scaled"] = "mV"
    lead_names: Sequence[str] | None = None

    def _set_panels(
        self, ax: Any, n_leads: int, n_columns: int, of: str, per_row: int | None = None
    ) -> np.ndarray:
        """Set the attributes to the axes `ax`, or to those of a new figure.

        A new figure has `per_row` columns side by side; further ones follow below.
        """
        plt = pyplot(type(self).__name__)
        if self.unit not in _AMPLITUDES:
            raise ValueError(f"unit is {self.unit!r}; expected 'mV' or 'scaled'.")
        if ax is not None:
            axes = np.asarray(ax, dtype=object)
            if axes.size != n_leads * n_columns:
                raise ValueError(
                    f"ax holds {axes.size} axes; expected {n_leads * n_columns}: {n_leads} leads "
                    f"times {n_columns} {of}."
                )
            axes = axes.reshape(n_leads, n_columns)
        else:
            per_row = min(per_row or n_columns, n_columns)
            n_rows = -(-n_columns // per_row)
            _, axes = plt.subplots(
                n_rows * n_leads,
                per_row,
                figsize=(2.3 * per_row + 0.7, 2.3 * n_rows * n_leads + 0.7),
                sharex=True,
                sharey="row",
                squeeze=False,
                layout="constrained",
            )
            # From (rows of columns, leads, columns in a row) to (leads, columns).
            axes = axes.reshape(n_rows, n_leads, per_row).swapaxes(0, 1).reshape(n_leads, -1)
            for panel in axes[:, n_columns:].ravel():
                panel.remove()
            axes = axes[:, :n_columns]
            for panel in axes[-1, -per_row:]:
                panel.tick_params(labelbottom=True)  # the panel below may have been removed
        self.axes_ = axes
        self.ax_, self.figure_ = axes[0, 0], axes[0, 0].figure
        return axes

    def _time(self, n_samples: int, time_unit: str) -> np.ndarray:
        """Compute the time of each sample of a beat."""
        per_second = {"s": 1, "ms": 1000}.get(time_unit)
        if per_second is None:
            raise ValueError(f"time_unit is {time_unit!r}; expected 's' or 'ms'.")
        return (np.arange(n_samples) / self.fs - self.before) * per_second

    def _label_panels(self, time_unit: str, per_row: int | None = None) -> None:
        """Label the axes at the left and lower edge of the panels."""
        n_leads, n_columns = self.axes_.shape
        origin = "from R peak " if self.before else ""
        for (lead, column), panel in np.ndenumerate(self.axes_):
            panel.grid(alpha=0.3)
            panel.margins(x=0)
            position = panel.get_subplotspec()
            if column == 0 or position is None or position.is_first_col():
                name = "" if self.lead_names is None else f"{self.lead_names[lead]}, "
                panel.set_ylabel(name + _AMPLITUDES[self.unit])
            if lead == n_leads - 1 and n_columns - column <= (per_row or n_columns):
                panel.set_xlabel(f"time {origin}({time_unit})")

    def _add_legend(self, ax: Any, handles: Sequence[Any]) -> None:
        """Add a legend below a new figure, or in the first of the given axes."""
        if ax is None:
            self.figure_.legend(
                handles=handles, loc="outside lower center", ncols=len(handles), fontsize="small"
            )
        else:
            self.ax_.legend(handles=handles, fontsize="small")


def beats_in_3d(data: Any, n_leads: int = 1, name: str = "X") -> np.ndarray:
    """Reshape beats to (n_beats, n_leads, n_samples)."""
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
    """Extract the signals from the input of a fitted estimator, without per-beat features.

    The networks of ecgclf, also as the last step of a Pipeline, define the number of leads and
    features. For other estimators a row of a 2-D `X` is one lead.
    """
    model = estimator[-1] if isinstance(estimator, Pipeline) else estimator
    rows = np.asarray(X)
    if rows.ndim == 2:
        rows = rows[:, : rows.shape[1] - getattr(model, "n_tabular", 0)]
    return beats_in_3d(rows, getattr(model, "n_leads_", 1))


def unpack_beats(beats: Any) -> tuple[np.ndarray, np.ndarray, list[str] | None]:
    """Return the signals in 3-D, the labels and the lead names of a Beats container.

    A channel with different leads in different records gets all of their names.
    """
    lead = beats.get("lead")
    data = beats_in_3d(beats.data, 1 if lead is None else np.shape(lead)[1], "beats.data")
    target = np.asarray(beats.target)
    if not len(data) or target.shape != data.shape[:1]:
        raise ValueError(
            f"beats has data of {len(data)} beats and target of shape {target.shape}; "
            "expected at least one beat, and one label for each."
        )
    if lead is None:
        return data, target, None
    names = ["/".join(sorted(map(str, set(column.tolist())))) for column in np.asarray(lead).T]
    return data, target, names
