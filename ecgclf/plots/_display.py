"""Base classes, colours and axes of displays."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, TypeAlias, dataclass_transform

import numpy as np
from sklearn.pipeline import Pipeline

from ecgclf._docstrings import InheritedParameterDocs, parameters_from

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Axes to draw on; None makes a new figure.
AxesLike: TypeAlias = "Axes | Sequence[Axes] | np.ndarray | None"

#: Colours that remain distinct in colour-blind vision, in the order of classes: Okabe and Ito,
#: "Color universal design", 2008, without the yellow, which is too pale for lines on white.
COLORS: dict[str, str] = {
    "black": "#000000",
    "vermilion": "#D55E00",
    "blue": "#0072B2",
    "orange": "#E69F00",
    "green": "#009E73",
    "purple": "#CC79A7",
    "sky blue": "#56B4E9",
}

_LINES = ("-", "--", "-.", ":", (0, (6, 1)), (0, (4, 1, 1, 1, 1, 1)), (0, (1, 3)))
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")

_PER_SECOND = {"s": 1, "ms": 1000}


def class_styles(labels: Iterable[Any]) -> dict[Any, dict[str, Any]]:
    """Assign a ``color``, a ``linestyle`` and a ``marker`` to each of up to 49 classes."""
    styles = {}
    for i, label in enumerate(labels):
        color, other = [*COLORS.values()][i % 7], (i + i // 7) % 7
        styles[label] = {"color": color, "linestyle": _LINES[other], "marker": _MARKERS[other]}
    return styles


@dataclass_transform(eq_default=False)
class Display(InheritedParameterDocs, ABC):
    """Base class of displays.

    A display is a dataclass. Its parameters describe what to draw and how; those of its method
    `plot` describe where. Class methods ``from_...`` take both and need not describe them again.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes of the plot; the first if there are several.
    figure_ : matplotlib Figure
        Figure of `ax_`.
    """

    _figsize: ClassVar[tuple[float, float]] = (5.6, 4.6)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        dataclass(cls, eq=False, repr=False)
        super().__init_subclass__(**kwargs)
        for name, member in vars(cls).items():
            if name.startswith("from_"):
                parameters_from(cls, Display.plot)(member.__func__)

    def plot(self, *, ax: AxesLike = None) -> Self:
        """Draw the plot.

        Parameters
        ----------
        ax : matplotlib Axes or array of them, optional
            Axes to draw on, as many as the plot has. By default a new figure is made.

        Returns
        -------
        self : display
            This object.

        Raises
        ------
        ValueError
            If the number of axes or a parameter of the display is invalid.
        """
        from matplotlib import pyplot as plt

        axes = self._new_axes(plt) if ax is None else self._check_axes(ax)
        self.ax_ = np.asarray(axes, dtype=object).flat[0]
        self.figure_ = self.ax_.figure
        self._draw(axes, is_new=ax is None)
        return self

    def _new_axes(self, plt: Any) -> Any:
        """Make the axes of a new figure."""
        return plt.subplots(figsize=self._figsize, layout="constrained")[1]

    def _check_axes(self, ax: Any) -> Any:
        """Check and arrange the given axes."""
        return ax

    @abstractmethod
    def _draw(self, axes: Any, is_new: bool) -> None:
        """Draw on the axes, which are new or were given."""


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
    time_unit : {"s", "ms"}, default="s"
        Unit of the time axis.
    lead_names : sequence of str, optional
        Name of each lead.

    Attributes
    ----------
    axes_ : ndarray of shape (n_leads, n_columns) of matplotlib Axes
        The panels; the columns are beats or classes. The argument `ax` of `plot` has as many
        axes, lead by lead.
    """

    _: KW_ONLY
    fs: float
    before: float = 0.0
    unit: Literal["mV", "scaled"] = "mV"
    time_unit: Literal["s", "ms"] = "s"
    lead_names: Sequence[str] | None = None

    #: What the columns are, and the maximum number side by side in a new figure.
    _columns: ClassVar[str] = "classes"
    _per_row: ClassVar[int] = 1000

    @abstractmethod
    def _shape(self) -> tuple[int, int, int]:
        """Return the numbers of leads, columns and samples."""

    @abstractmethod
    def _draw_panels(self, time: np.ndarray) -> Sequence[Any]:
        """Draw on ``axes_``, and return the artists for the legend."""

    def __post_init__(self) -> None:
        if self.unit not in ("mV", "scaled"):
            raise ValueError(f"unit is {self.unit!r}; expected 'mV' or 'scaled'.")
        if self.time_unit not in _PER_SECOND:
            raise ValueError(f"time_unit is {self.time_unit!r}; expected 's' or 'ms'.")

    def _check_axes(self, ax: Any) -> np.ndarray:
        n_leads, n_columns, _ = self._shape()
        return arrange_axes(ax, (n_leads, n_columns), ("leads", self._columns))

    def _new_axes(self, plt: Any) -> np.ndarray:
        n_leads, n_columns, _ = self._shape()
        per_row = min(self._per_row, n_columns)
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
        return axes

    def _draw(self, axes: np.ndarray, is_new: bool) -> None:
        self.axes_ = axes
        n_leads, n_columns, n_samples = self._shape()
        time = (np.arange(n_samples) / self.fs - self.before) * _PER_SECOND[self.time_unit]
        handles = self._draw_panels(time)
        origin = "from R peak " if self.before else ""
        for (lead, column), panel in np.ndenumerate(axes):
            panel.grid(alpha=0.3)
            panel.margins(x=0)
            position = panel.get_subplotspec()
            if column == 0 or position is None or position.is_first_col():
                name = "" if self.lead_names is None else f"{self.lead_names[lead]}, "
                panel.set_ylabel(f"{name}amplitude ({self.unit})")
            if lead == n_leads - 1 and n_columns - column <= self._per_row:
                panel.set_xlabel(f"time {origin}({self.time_unit})")
        if handles and is_new:
            self.figure_.legend(
                handles=handles, loc="outside lower center", ncols=len(handles), fontsize="small"
            )
        elif handles:
            self.ax_.legend(handles=handles, fontsize="small")


def arrange_axes(ax: Any, shape: tuple[int, int], names: tuple[str, str]) -> np.ndarray:
    """Reshape axes; `names` describes the two dimensions in the error message."""
    axes = np.asarray(ax, dtype=object)
    if axes.size != shape[0] * shape[1]:
        raise ValueError(
            f"ax holds {axes.size} axes; expected {shape[0] * shape[1]}: {shape[0]} {names[0]} "
            f"times {shape[1]} {names[1]}."
        )
    return axes.reshape(shape)


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
    """Extract the signals in 3-D from the input of an estimator, without per-beat features."""
    model = estimator[-1] if isinstance(estimator, Pipeline) else estimator
    rows = np.asarray(X)
    if rows.ndim == 2:
        rows = rows[:, : rows.shape[1] - getattr(model, "n_tabular", 0)]
    return beats_in_3d(rows, getattr(model, "n_leads_", 1))


def unpack_beats(beats: Any) -> tuple[np.ndarray, np.ndarray, list[str] | None]:
    """Return the signals in 3-D, the labels and the lead names, joined where records differ."""
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
