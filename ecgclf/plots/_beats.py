"""What the beats of each class look like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from sklearn.utils import check_random_state

from ecgclf.evaluation._class_order import in_class_order
from ecgclf.plots._style import COLORS, pyplot

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class BeatDisplay:
    """Example beats of each class, with the mean over all beats of the class.

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
    ) -> None:
        self.examples = examples
        self.means = means
        self.counts = counts
        self.fs = fs
        self.before = before
        self.unit = unit
        self.lead_names = lead_names

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
        ax: Sequence[Axes] | np.ndarray | None = None,
    ) -> BeatDisplay:
        """Draw beats at random and plot them.

        Parameters
        ----------
        beats : Beats
            With ``data`` of shape (n_beats, n_samples) or (n_beats, n_leads, n_samples),
            ``target`` and ``fs``; the leads' names are taken from ``lead`` where there.
        n_per_class : int, default=10
            How many beats to draw of each class; all of a class that has fewer.
        before : float, default=0
            Seconds from the start of the window to the R peak: the zero of the time axis.
        unit : {"mV", "scaled"}, default="mV"
            Unit of the amplitudes.
        time_unit : {"s", "ms"}, default="ms"
            Unit of the time axis.
        random_state : int, RandomState or None, default=None
            Which beats are drawn. None draws others each time; numpy's global state is
            neither read nor changed.
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
        if not isinstance(n_per_class, (int, np.integer)) or n_per_class < 1:
            raise ValueError(f"n_per_class must be an integer >= 1; got {n_per_class!r}.")
        lead = beats.get("lead")
        data, target = _as_3d(beats.data, lead), np.asarray(beats.target)
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
            lead_names=None if lead is None else _lead_names(np.asarray(lead)),
        ).plot(ax=ax, time_unit=time_unit)

    def plot(
        self,
        *,
        ax: Sequence[Axes] | np.ndarray | None = None,
        time_unit: Literal["s", "ms"] = "ms",
    ) -> BeatDisplay:
        """Draw the panels.

        Parameters
        ----------
        ax : array of matplotlib Axes, optional
            Where to draw: as many axes as classes times leads, lead by lead. A new figure
            by default.
        time_unit : {"s", "ms"}, default="ms"
            Unit of the time axis.

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
        per_second = {"s": 1, "ms": 1000}.get(time_unit)
        amplitude = {"mV": "amplitude (mV)", "scaled": "amplitude (scaled)"}.get(self.unit)
        if per_second is None:
            raise ValueError(f"time_unit is {time_unit!r}; expected 's' or 'ms'.")
        if amplitude is None:
            raise ValueError(f"unit is {self.unit!r}; expected 'mV' or 'scaled'.")

        n_leads, n_samples = next(iter(self.means.values())).shape
        self.axes_ = self._panels(plt, ax, n_leads)
        self.ax_, self.figure_ = self.axes_[0, 0], self.axes_[0, 0].figure
        time = (np.arange(n_samples) / self.fs - self.before) * per_second
        for column, (label, mean) in enumerate(self.means.items()):
            for lead, panel in enumerate(self.axes_[:, column]):
                examples = self.examples[label][:, lead]
                # Thin light lines under a thick dark one: they differ in grey, too.
                panel.plot(time, examples.T, color=COLORS["sky blue"], lw=0.7, alpha=0.7)
                panel.plot(time, mean[lead], color=COLORS["black"], lw=1.8)
                panel.grid(alpha=0.3)
                panel.margins(x=0)
            self.axes_[0, column].set_title(f"{label}  (n = {self.counts[label]:,})")
        for panel in self.axes_[-1]:
            origin = "from R peak " if self.before else ""
            panel.set_xlabel(f"time {origin}({time_unit})")
        for lead, panel in enumerate(self.axes_[:, 0]):
            name = f"{self.lead_names[lead]}, " if self.lead_names is not None else ""
            panel.set_ylabel(name + amplitude)
        example, mean_line = self.ax_.lines[0], self.ax_.lines[-1]
        example.set_label("example beats")
        mean_line.set_label("mean of the class")
        self.ax_.legend(handles=[example, mean_line], fontsize="small")
        return self

    def _panels(
        self, plt: Any, ax: Sequence[Axes] | np.ndarray | None, n_leads: int
    ) -> np.ndarray:
        """Return the axes to draw on, one row per lead."""
        shape = (n_leads, len(self.means))
        if ax is None:
            size = (2.3 * shape[1] + 0.7, 2.3 * n_leads + 0.5)
            _, axes = plt.subplots(
                *shape,
                figsize=size,
                sharex=True,
                sharey="row",
                squeeze=False,
                layout="constrained",
            )
            return axes
        axes = np.asarray(ax, dtype=object)
        if axes.size != shape[0] * shape[1]:
            raise ValueError(
                f"ax holds {axes.size} axes; expected {shape[0] * shape[1]}: {n_leads} "
                f"leads times {shape[1]} classes."
            )
        return axes.reshape(shape)


def _as_3d(data: Any, lead: Any) -> np.ndarray:
    """Return beats with an axis for their leads, which the columns of a frame lack."""
    data = np.asarray(data)
    if data.ndim == 2:
        n_leads = 1 if lead is None else np.shape(lead)[1]
        return data.reshape(len(data), n_leads, data.shape[1] // n_leads)
    if data.ndim != 3:
        raise ValueError(
            "beats.data must be of shape (n_beats, n_samples) or (n_beats, n_leads, "
            f"n_samples); got {data.shape}."
        )
    return data


def _lead_names(lead: np.ndarray) -> list[str]:
    """Name each channel; one that held several leads gets all their names."""
    return ["/".join(sorted(map(str, set(names.tolist())))) for names in lead.T]
