"""Beats of a class that were predicted right, and those that were not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_random_state

from ecgclf._validation import check_same_length
from ecgclf.evaluation import check_beats, in_class_order
from ecgclf.plots._panels import (
    add_legend,
    amplitude_label,
    beats_in_3d,
    panels,
    signals_of,
    time_label,
    time_of_samples,
)
from ecgclf.plots._style import COLORS, pyplot

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Name, thin lines and mean of the beats predicted right, and of the others.
_OUTCOMES: tuple[tuple[str, dict[str, Any], dict[str, Any]], ...] = (
    (
        "predicted right",
        {"color": COLORS["sky blue"], "lw": 0.6, "alpha": 0.6},
        {"color": COLORS["black"], "lw": 1.8, "ls": "-"},
    ),
    (
        "predicted wrong",
        {"color": COLORS["orange"], "lw": 0.7, "alpha": 0.8, "ls": (0, (4, 2))},
        {"color": COLORS["vermilion"], "lw": 1.8, "ls": (0, (4, 1.5))},
    ),
)


class BeatErrorDisplay:
    """The beats of each class that were predicted right, and over them those that were not.

    One column per true class and one row per lead. Thick lines are means over all such beats,
    thin ones some of the beats. Make it with `from_estimator` or `from_predictions`.

    Parameters
    ----------
    X : ndarray of shape (n_beats, n_leads, n_samples)
        The beats.
    y_true, y_pred : ndarray of shape (n_beats,)
        True and predicted labels.
    fs : float
        Sampling rate in Hz.
    before : float, default=0
        Seconds from the start of a beat's window to its R peak: the zero of the time axis.
    unit : {"mV", "scaled"}, default="mV"
        Unit of the amplitudes.
    lead_names : sequence of str, optional
        Name of each lead.

    Attributes
    ----------
    axes_ : ndarray of shape (n_leads, n_classes) of matplotlib Axes
    ax_ : matplotlib Axes
        The first of `axes_`.
    figure_ : matplotlib Figure

    See Also
    --------
    ConfusionDisplay : How many beats of a class were taken for which.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgclf.plots import BeatErrorDisplay
    >>> X = np.random.default_rng(0).normal(size=(5, 50))
    >>> display = BeatErrorDisplay.from_predictions(X, list("NNVVV"), list("NNVVN"), fs=100)
    >>> print(display.axes_[0, 1].get_title())
    V: 2 right, 1 wrong
    taken for N 1
    """

    def __init__(
        self,
        X: np.ndarray,
        y_true: np.ndarray,
        y_pred: np.ndarray,
        *,
        fs: float,
        before: float = 0.0,
        unit: Literal["mV", "scaled"] = "mV",
        lead_names: Sequence[str] | None = None,
    ) -> None:
        self.X = X
        self.y_true = y_true
        self.y_pred = y_pred
        self.fs = fs
        self.before = before
        self.unit = unit
        self.lead_names = lead_names

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: ArrayLike, y: ArrayLike, *, fs: float, **kwargs: Any
    ) -> BeatErrorDisplay:
        """Plot which beats a fitted classifier gets right.

        Parameters
        ----------
        estimator : object
            Fitted classifier.
        X, y : array-like
            Beats as its ``predict`` takes them, and their true labels. Per-beat features are
            not drawn.
        fs : float
            Sampling rate in Hz.
        **kwargs
            As in `from_predictions`.

        Returns
        -------
        BeatErrorDisplay
        """
        return cls.from_predictions(
            signals_of(estimator, X), y, estimator.predict(X), fs=fs, **kwargs
        )

    @classmethod
    def from_predictions(
        cls,
        X: ArrayLike,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        *,
        fs: float,
        before: float = 0.0,
        unit: Literal["mV", "scaled"] = "mV",
        time_unit: Literal["s", "ms"] = "ms",
        lead_names: Sequence[str] | None = None,
        n_per_class: int = 10,
        random_state: int | np.random.RandomState | None = None,
        ax: Sequence[Axes] | np.ndarray | None = None,
    ) -> BeatErrorDisplay:
        """Plot which beats were predicted right.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_samples) or (n_beats, n_leads, n_samples)
            The beats.
        y_true, y_pred : array-like of shape (n_beats,)
            True and predicted labels.
        fs : float
            Sampling rate in Hz.
        before : float, default=0
            Seconds from the start of the window to the R peak: the zero of the time axis.
        unit : {"mV", "scaled"}, default="mV"
            Unit of the amplitudes.
        lead_names : sequence of str, optional
            Name of each lead.
        time_unit, n_per_class, random_state, ax
            As in `plot`.

        Returns
        -------
        BeatErrorDisplay

        Raises
        ------
        ValueError
            If the lengths differ, or a parameter is none of the values above.
        """
        truth, predicted = check_beats(y_true, "y_true"), check_beats(y_pred, "y_pred")
        beats = beats_in_3d(X)
        check_same_length(truth, "y_pred", predicted)
        check_same_length(truth, "X", beats)
        display = cls(
            beats, truth, predicted, fs=fs, before=before, unit=unit, lead_names=lead_names
        )
        return display.plot(
            n_per_class=n_per_class, random_state=random_state, time_unit=time_unit, ax=ax
        )

    def plot(
        self,
        *,
        n_per_class: int = 10,
        random_state: int | np.random.RandomState | None = None,
        time_unit: Literal["s", "ms"] = "ms",
        ax: Sequence[Axes] | np.ndarray | None = None,
    ) -> BeatErrorDisplay:
        """Draw the panels.

        Parameters
        ----------
        n_per_class : int, default=10
            How many beats to draw, of those of a class predicted right and of the others.
        random_state : int, RandomState or None, default=None
            Which beats are drawn. None draws others each time; numpy's global state is
            neither read nor changed.
        time_unit : {"s", "ms"}, default="ms"
            Unit of the time axis.
        ax : array of matplotlib Axes, optional
            Where to draw: as many axes as classes times leads, lead by lead. A new figure
            by default.

        Returns
        -------
        BeatErrorDisplay
            Itself.

        Raises
        ------
        ValueError
            If there are not as many axes as panels, or a unit is unknown.
        ImportError
            If matplotlib is not installed.
        """
        plt = pyplot("BeatErrorDisplay")
        _, n_leads, n_samples = self.X.shape
        labels = in_class_order(self.y_true)
        time = time_of_samples(n_samples, self.fs, self.before, time_unit)
        names = [amplitude_label(self.unit, self.lead_names, lead) for lead in range(n_leads)]
        rng = (
            np.random.RandomState() if random_state is None else check_random_state(random_state)
        )
        what = f"{n_leads} leads times {len(labels)} classes"
        self.axes_ = panels(plt, ax, (n_leads, len(labels)), what)
        self.ax_, self.figure_ = self.axes_[0, 0], self.axes_[0, 0].figure
        handles = {}
        for column, label in zip(self.axes_.T, labels):
            is_right = self.y_pred == label
            of_class = self.y_true == label
            for found, (name, thin, thick) in zip(
                (of_class & is_right, of_class & ~is_right), _OUTCOMES
            ):
                rows = np.flatnonzero(found)
                if not len(rows):
                    continue
                drawn = rng.choice(rows, min(n_per_class, len(rows)), replace=False)
                for lead, panel in enumerate(column):
                    panel.plot(time, self.X[drawn, lead].T, zorder=1, **thin)
                    mean = self.X[rows, lead].mean(axis=0)
                    (handles[name],) = panel.plot(time, mean, zorder=2, label=name, **thick)
            column[0].set_title(self._title(label), fontsize="medium")
            column[-1].set_xlabel(time_label(self.before, time_unit))
        for panel in self.axes_.ravel():
            panel.grid(alpha=0.3)
            panel.margins(x=0)
        for panel, name in zip(self.axes_[:, 0], names):
            panel.set_ylabel(name)
        add_legend(ax, self.axes_, [*handles.values()])
        return self

    def _title(self, label: Any) -> str:
        """Count the beats of a class, and what the wrong ones were taken for."""
        predicted = self.y_pred[self.y_true == label]
        others, counts = np.unique(predicted[predicted != label], return_counts=True)
        title = f"{label}: {np.sum(predicted == label):,} right, {counts.sum():,} wrong"
        most = np.argsort(-counts, kind="stable")[:3]
        taken = ", ".join(f"{others[i]} {counts[i]:,}" for i in most)
        return title + (f"\ntaken for {taken}" if taken else "\n")
