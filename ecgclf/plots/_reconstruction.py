"""How well an autoencoder gives beats back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from ecgclf.plots._panels import (
    add_legend,
    beat_panels,
    beats_in_3d,
    label_panels,
    signals_of,
    time_of_samples,
)
from ecgclf.plots._style import COLORS, pyplot

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class ReconstructionDisplay:
    """Beats and their reconstructions, with the error between them shaded.

    Make it with `from_estimator` or `from_reconstructions`.

    Parameters
    ----------
    X : ndarray of shape (n_beats, n_leads, n_samples)
        The beats.
    reconstructed : ndarray of shape (n_beats, n_leads, n_samples)
        What became of them.
    fs : float
        Sampling rate in Hz.
    before : float, default=0
        Seconds from the start of a beat's window to its R peak: the zero of the time axis.
    unit : {"mV", "scaled"}, default="mV"
        Unit of the amplitudes.
    titles : sequence of str, optional
        Title of each beat.
    lead_names : sequence of str, optional
        Name of each lead.

    Attributes
    ----------
    axes_ : ndarray of shape (n_leads, n_beats) of matplotlib Axes
    ax_ : matplotlib Axes
        The first of `axes_`.
    figure_ : matplotlib Figure

    Examples
    --------
    >>> from sklearn.decomposition import PCA
    >>> from ecgclf.datasets import make_beats
    >>> from ecgclf.plots import ReconstructionDisplay
    >>> beats = make_beats(n_beats=100, random_state=0)
    >>> model = PCA(5).fit(beats.data)
    >>> display = ReconstructionDisplay.from_estimator(model, beats.data[:3], fs=beats.fs)
    >>> display.axes_.shape
    (1, 3)
    """

    def __init__(
        self,
        X: np.ndarray,
        reconstructed: np.ndarray,
        *,
        fs: float,
        before: float = 0.0,
        unit: Literal["mV", "scaled"] = "mV",
        titles: Sequence[str] | None = None,
        lead_names: Sequence[str] | None = None,
    ) -> None:
        self.X = X
        self.reconstructed = reconstructed
        self.fs = fs
        self.before = before
        self.unit = unit
        self.titles = titles
        self.lead_names = lead_names

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: ArrayLike,
        y: ArrayLike | None = None,
        *,
        fs: float,
        **kwargs: Any,
    ) -> ReconstructionDisplay:
        """Plot beats and what a fitted autoencoder makes of them.

        Parameters
        ----------
        estimator : object
            Fitted, with ``transform`` and ``inverse_transform``: an `ECGAutoencoder`, a PCA.
        X : array-like of shape (n_beats, n_samples) or (n_beats, n_leads, n_samples)
            A few beats, as the estimator takes them. Per-beat features are neither drawn nor
            part of the score.
        y : array-like of shape (n_beats,), optional
            Their labels, for the titles.
        fs : float
            Sampling rate in Hz.
        **kwargs
            As in `from_reconstructions`.

        Returns
        -------
        ReconstructionDisplay

        Raises
        ------
        ValueError
            As in `from_reconstructions`.
        """
        reconstructed = estimator.inverse_transform(estimator.transform(X))
        beats, back = signals_of(estimator, X), signals_of(estimator, reconstructed)
        return cls.from_reconstructions(beats, back, y, fs=fs, **kwargs)

    @classmethod
    def from_reconstructions(
        cls,
        X: ArrayLike,
        reconstructed: ArrayLike,
        y: ArrayLike | None = None,
        *,
        fs: float,
        before: float = 0.0,
        unit: Literal["mV", "scaled"] = "mV",
        time_unit: Literal["s", "ms"] = "ms",
        lead_names: Sequence[str] | None = None,
        ax: Sequence[Axes] | np.ndarray | None = None,
    ) -> ReconstructionDisplay:
        r"""Plot beats and their reconstructions.

        The title of a beat tells its score as `ECGAutoencoder.score_samples` defines it: the
        negative mean square of the error.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_samples) or (n_beats, n_leads, n_samples)
            The beats.
        reconstructed : array-like of as many numbers as `X`
            What became of them.
        y : array-like of shape (n_beats,), optional
            Their labels, for the titles.
        fs : float
            Sampling rate in Hz.
        before : float, default=0
            Seconds from the start of the window to the R peak: the zero of the time axis.
        unit : {"mV", "scaled"}, default="mV"
            Unit of the amplitudes.
        time_unit, ax
            As in `plot`.
        lead_names : sequence of str, optional
            Name of each lead.

        Returns
        -------
        ReconstructionDisplay

        Raises
        ------
        ValueError
            If `reconstructed` or `y` do not fit `X`, there are no beats, or a unit is unknown.
        """
        beats = beats_in_3d(X)
        back = np.asarray(reconstructed)
        if not beats.size or back.shape[:1] != beats.shape[:1] or back.size != beats.size:
            raise ValueError(
                f"X has the shape {np.shape(X)} and reconstructed {back.shape}; expected at "
                "least one beat, and as many numbers in both."
            )
        back = back.reshape(beats.shape)
        if y is not None and len(np.asarray(y)) != len(beats):
            raise ValueError(f"y has {len(np.asarray(y))} labels; expected {len(beats)}.")
        scores = -np.mean(np.square(beats - back, dtype=np.float64), axis=(1, 2))
        square = " mV²" if unit == "mV" else ""
        labels = [""] * len(beats) if y is None else [f"{label}, " for label in np.asarray(y)]
        titles = [
            f"{label}score {score:.2g}{square}".replace("-", "\N{MINUS SIGN}")
            for label, score in zip(labels, scores)
        ]
        display = cls(
            beats, back, fs=fs, before=before, unit=unit, titles=titles, lead_names=lead_names
        )
        return display.plot(time_unit=time_unit, ax=ax)

    def plot(
        self,
        *,
        time_unit: Literal["s", "ms"] = "ms",
        ax: Sequence[Axes] | np.ndarray | None = None,
    ) -> ReconstructionDisplay:
        """Draw the panels.

        Parameters
        ----------
        time_unit : {"s", "ms"}, default="ms"
            Unit of the time axis.
        ax : array of matplotlib Axes, optional
            Where to draw: as many axes as beats times leads, lead by lead. A new figure by
            default.

        Returns
        -------
        ReconstructionDisplay
            Itself.

        Raises
        ------
        ValueError
            If there are not as many axes as panels, or a unit is unknown.
        ImportError
            If matplotlib is not installed.
        """
        plt = pyplot("ReconstructionDisplay")
        n_beats, n_leads, n_samples = self.X.shape
        time = time_of_samples(n_samples, self.fs, self.before, time_unit)
        self.axes_ = beat_panels(plt, ax, n_beats, n_leads)
        self.ax_, self.figure_ = self.axes_[0, 0], self.axes_[0, 0].figure
        for (lead, beat), panel in np.ndenumerate(self.axes_):
            before, after = self.X[beat, lead], self.reconstructed[beat, lead]
            error = panel.fill_between(
                time, before, after, color=COLORS["orange"], alpha=0.5, lw=0, label="error"
            )
            (signal,) = panel.plot(time, before, color=COLORS["black"], lw=1.2, label="beat")
            (again,) = panel.plot(
                time, after, color=COLORS["vermilion"], lw=1.4, ls="--", label="reconstruction"
            )
            if lead == 0 and self.titles is not None:
                panel.set_title(self.titles[beat], fontsize="medium")
        label_panels(
            self.axes_,
            unit=self.unit,
            before=self.before,
            time_unit=time_unit,
            lead_names=self.lead_names,
        )
        add_legend(ax, self.axes_, [signal, again, error])
        return self
