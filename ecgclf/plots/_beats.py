"""What the beats of each class look like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from sklearn.utils import check_random_state

from ecgclf.evaluation import in_class_order
from ecgclf.plots._panels import (
    add_legend,
    amplitude_label,
    beats_in_3d,
    names_of_leads,
    panels,
    time_label,
    time_of_samples,
)
from ecgclf.plots._style import COLORS, pyplot

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class BeatDisplay:
    """Example beats of each class, with the mean and spread of all beats of the class.

    One column per class and one row per lead; the panels of a row share their amplitude
    axis. Make it with `from_beats`.

    Parameters
    ----------
    examples : mapping of label to ndarray of shape (n_examples, n_leads, n_samples)
        The beats to draw of each class, in the order of the columns.
    means : mapping of label to ndarray of shape (n_leads, n_samples)
        The mean beat of each class.
    counts : mapping of label to int
        Number of beats that the mean was taken over.
    fs : float
        Sampling rate in Hz.
    before : float, default=0
        Seconds from the start of a beat's window to its R peak: the zero of the time axis.
    unit : {"mV", "scaled"}, default="mV"
        Unit of the amplitudes; ``"scaled"`` for those without one.
    lead_names : sequence of str, optional
        Name of each lead.
    spreads : mapping of label to ndarray of shape (2, n_leads, n_samples), optional
        Lower and upper edge of the band around each mean.
    spread_name : str, default="spread"
        What the band is, for the legend.

    Attributes
    ----------
    axes_ : ndarray of shape (n_leads, n_classes) of matplotlib Axes
    ax_ : matplotlib Axes
        The first of `axes_`.
    figure_ : matplotlib Figure

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.utils import Bunch
    >>> from ecgclf.plots import BeatDisplay
    >>> rng = np.random.default_rng(0)
    >>> data, target = rng.normal(size=(9, 50)), np.array(["N", "S", "V"] * 3)
    >>> beats = Bunch(data=data, target=target, fs=100)
    >>> display = BeatDisplay.from_beats(beats, random_state=0)
    >>> display.axes_.shape
    (1, 3)
    """

    def __init__(
        self,
        examples: Mapping[Any, np.ndarray],
        means: Mapping[Any, np.ndarray],
        counts: Mapping[Any, int],
        *,
        fs: float,
        before: float = 0.0,
        unit: Literal["mV", "scaled"] = "mV",
        lead_names: Sequence[str] | None = None,
        spreads: Mapping[Any, np.ndarray] | None = None,
        spread_name: str = "spread",
    ) -> None:
        self.examples = examples
        self.means = means
        self.counts = counts
        self.fs = fs
        self.before = before
        self.unit = unit
        self.lead_names = lead_names
        self.spreads = spreads
        self.spread_name = spread_name

    @classmethod
    def from_beats(
        cls,
        beats: Any,
        *,
        n_per_class: int = 10,
        before: float = 0.0,
        unit: Literal["mV", "scaled"] = "mV",
        time_unit: Literal["s", "ms"] = "ms",
        random_state: int | np.random.RandomState | None = None,
        spread: tuple[float, float] | Literal["sd"] | None = None,
        mean: bool = True,
        ax: Sequence[Axes] | np.ndarray | None = None,
    ) -> BeatDisplay:
        """Draw beats at random and plot them.

        Parameters
        ----------
        beats : Beats
            With ``data`` of shape (n_beats, n_samples) or (n_beats, n_leads, n_samples),
            ``target`` and ``fs``; the leads' names are taken from ``lead`` where there.
        n_per_class : int, default=10
            How many beats to draw of each class; all of a class that has fewer. With
            `spread` it may be 0.
        before : float, default=0
            Seconds from the start of the window to the R peak: the zero of the time axis.
        unit : {"mV", "scaled"}, default="mV"
            Unit of the amplitudes.
        time_unit : {"s", "ms"}, default="ms"
            Unit of the time axis.
        random_state : int, RandomState or None, default=None
            Which beats are drawn. None draws others each time; numpy's global state is
            neither read nor changed.
        spread : tuple of two floats, "sd" or None, default=None
            The band to draw around the mean of all beats of a class: between two
            percentiles, such as ``(10, 90)``, or one standard deviation to either side.
        mean : bool, default=True
            Draw the mean of the class; False, with ``n_per_class=1``, shows single beats.
        ax : array of matplotlib Axes, optional
            Where to draw: as many axes as classes times leads, lead by lead. A new figure
            by default.

        Returns
        -------
        BeatDisplay

        Raises
        ------
        ValueError
            If there are no beats, their fields do not fit together, or a parameter is
            none of the values above.
        """
        least = 1 if spread is None else 0
        if not isinstance(n_per_class, (int, np.integer)) or n_per_class < least:
            raise ValueError(
                f"n_per_class must be an integer >= {least}; got {n_per_class!r}. (It may be 0 "
                "where spread is given.)"
            )
        lead = beats.get("lead")
        n_leads = 1 if lead is None else np.shape(lead)[1]
        data = beats_in_3d(beats.data, n_leads, "beats.data")
        target = np.asarray(beats.target)
        if not len(data) or target.shape != data.shape[:1]:
            raise ValueError(
                f"beats has data of {len(data)} beats and target of shape {target.shape}; "
                "expected at least one beat, and one label for each."
            )
        rng = (
            np.random.RandomState() if random_state is None else check_random_state(random_state)
        )
        rows = {label: np.flatnonzero(target == label) for label in in_class_order(target)}
        drawn = {
            label: rng.choice(found, min(n_per_class, len(found)), replace=False)
            for label, found in rows.items()
        }
        return cls(
            examples={label: data[chosen] for label, chosen in drawn.items()},
            means={label: data[found].mean(axis=0) for label, found in rows.items()},
            counts={label: len(found) for label, found in rows.items()},
            fs=beats.fs,
            before=before,
            unit=unit,
            lead_names=names_of_leads(lead),
            **_bands(data, rows, spread),
        ).plot(ax=ax, time_unit=time_unit, mean=mean)

    def plot(
        self,
        *,
        ax: Sequence[Axes] | np.ndarray | None = None,
        time_unit: Literal["s", "ms"] = "ms",
        mean: bool = True,
    ) -> BeatDisplay:
        """Draw the panels.

        Parameters
        ----------
        ax : array of matplotlib Axes, optional
            Where to draw: as many axes as classes times leads, lead by lead. A new figure
            by default.
        time_unit : {"s", "ms"}, default="ms"
            Unit of the time axis.
        mean : bool, default=True
            Draw the mean of each class.

        Returns
        -------
        BeatDisplay
            Itself.

        Raises
        ------
        ValueError
            If there are not as many axes as panels, or a unit is unknown.
        ImportError
            If matplotlib is not installed.
        """
        plt = pyplot("BeatDisplay")
        n_leads, n_samples = next(iter(self.means.values())).shape
        n_classes = len(self.means)
        time = time_of_samples(n_samples, self.fs, self.before, time_unit)
        names = [amplitude_label(self.unit, self.lead_names, lead) for lead in range(n_leads)]
        what = f"{n_leads} leads times {n_classes} classes"
        self.axes_ = panels(plt, ax, (n_leads, n_classes), what)
        self.ax_, self.figure_ = self.axes_[0, 0], self.axes_[0, 0].figure
        for column, label in enumerate(self.means):
            for lead, panel in enumerate(self.axes_[:, column]):
                self._draw(panel, label, lead, time, mean)
                panel.grid(alpha=0.3)
                panel.margins(x=0)
            self.axes_[0, column].set_title(f"{label}  (n = {self.counts[label]:,})")
        for panel in self.axes_[-1]:
            panel.set_xlabel(time_label(self.before, time_unit))
        for panel, name in zip(self.axes_[:, 0], names):
            panel.set_ylabel(name)
        handles = [
            artist
            for artist in (*self.ax_.lines, *self.ax_.collections)
            if not artist.get_label().startswith("_")
        ]
        add_legend(ax, self.axes_, handles)
        return self

    def _draw(self, panel: Axes, label: Any, lead: int, time: np.ndarray, mean: bool) -> None:
        """Draw one lead of one class."""
        if self.spreads is not None:
            low, high = self.spreads[label][:, lead]
            panel.fill_between(
                time, low, high, color="0.75", lw=0, label=self.spread_name, zorder=1
            )
        # Thin light lines under a thick dark one: they differ in grey, too.
        light: dict[str, Any] = {"color": COLORS["sky blue"], "lw": 0.7, "alpha": 0.7}
        alone: dict[str, Any] = {"color": COLORS["blue"], "lw": 1.0}
        lines = panel.plot(time, self.examples[label][:, lead].T, **(light if mean else alone))
        for line in lines[:1]:
            line.set_label("example beats")
        if mean:
            average = self.means[label][lead]
            panel.plot(time, average, color=COLORS["black"], lw=1.8, label="mean of the class")


def _bands(data: np.ndarray, rows: Mapping[Any, np.ndarray], spread: Any) -> dict[str, Any]:
    """Return the band of each class and what it is."""
    if spread is None:
        return {}
    as_sd = isinstance(spread, str) and spread == "sd"
    if as_sd:
        name = "mean \N{PLUS-MINUS SIGN} SD"
    else:
        edges = np.asarray([] if isinstance(spread, str) else spread, dtype=float)
        if edges.shape != (2,) or not 0 <= edges[0] < edges[1] <= 100:
            raise ValueError(
                f"spread is {spread!r}; expected two rising percentiles between 0 and 100, "
                "such as (10, 90), or 'sd'."
            )
        name = f"{edges[0]:g}th to {edges[1]:g}th percentile"
    bands = {}
    for label, found in rows.items():
        beats = data[found]
        if as_sd:
            middle, sd = beats.mean(axis=0), beats.std(axis=0)
            bands[label] = np.stack([middle - sd, middle + sd])
        else:
            bands[label] = np.percentile(beats, spread, axis=0)
    return {"spreads": bands, "spread_name": name}
