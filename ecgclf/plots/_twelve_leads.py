"""Display of 12 leads in the usual layout, with attributions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from ecgclf._docstrings import parameters_from
from ecgclf.evaluation import occlusion
from ecgclf.plots._beat_panels import AttributionDisplay, attribution_band, label_of_method
from ecgclf.plots._display import COLORS, AxesLike, Display, arrange_axes
from ecgclf.plots._signals import draw_paper

#: Leads in the usual order of files.
_LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")


class TwelveLeadDisplay(Display):
    """Recording of 12 leads on ECG paper, in three rows of four leads and a rhythm strip.

    Each column shows a quarter of the recording, so the leads of a row follow one another in
    time, as in a printed ECG. With attributions, a band along each curve shows the contribution
    of each sample, orange for positive and blue for negative ones, and the share of each lead in
    the sum of all absolute attributions stands beside its name.

    Parameters
    ----------
    signal : array-like of shape (12, n_samples)
        The recording in mV.
    fs : float
        Sampling rate in Hz.
    attributions : array-like of shape (12, n_samples), optional
        Attribution of each sample.
    lead_names : sequence of 12 str, optional
        Name of each row of `signal`, in any case; by default I, II, III, aVR, aVL, aVF, V1 to V6.
    rhythm : str or None, default="II"
        Lead that a fourth row shows in full.
    title : str, optional
        Title of the figure.
    colorbar_label : str, default="attribution"
        Label of the colour bar.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        The rows. The argument `ax` of `plot` has as many axes.
    lead_shares_ : dict of str to float
        Share of each lead in the sum of all absolute attributions; empty without attributions.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgclf.plots import TwelveLeadDisplay
    >>> signal = np.sin(np.arange(1000) / 10) * np.ones((12, 1))
    >>> display = TwelveLeadDisplay(signal, fs=100).plot()
    >>> [text.get_text() for text in display.axes_[1].texts]
    ['II', 'aVL', 'V2', 'V5']
    """

    signal: np.ndarray
    fs: float
    _: KW_ONLY
    attributions: np.ndarray | None = None
    lead_names: Sequence[str] | None = None
    rhythm: str | None = "II"
    title: str | None = None
    colorbar_label: str = "attribution"

    _figsize: ClassVar[tuple[float, float]] = (11.0, 6.5)

    def __post_init__(self) -> None:
        self.signal = np.asarray(self.signal, dtype=float)
        names = [str(name).upper() for name in self.lead_names or _LEADS]
        if self.signal.ndim != 2 or len(self.signal) != 12:
            raise ValueError(
                f"signal has the shape {self.signal.shape}, expected (12, n_samples): one "
                "recording of 12 leads."
            )
        if sorted(names) != sorted(name.upper() for name in _LEADS):
            raise ValueError(f"lead_names={self.lead_names!r}, expected the leads {_LEADS}.")
        if self.rhythm is not None and self.rhythm.upper() not in names:
            raise ValueError(f"rhythm={self.rhythm!r} is not one of the leads {_LEADS}.")
        self._row = {name: names.index(name.upper()) for name in _LEADS}
        self.lead_shares_: dict[str, float] = {}
        if self.attributions is not None:
            self.attributions = np.asarray(self.attributions, dtype=float)
            if self.attributions.shape != self.signal.shape:
                raise ValueError(
                    f"attributions has the shape {self.attributions.shape}, expected that of "
                    f"signal, {self.signal.shape}."
                )
            sums = np.abs(self.attributions).sum(axis=1)
            shares = sums / (sums.sum() or 1.0)
            self.lead_shares_ = {name: float(shares[row]) for name, row in self._row.items()}

    @classmethod
    @parameters_from(AttributionDisplay.from_estimator)
    def from_estimator(
        cls,
        estimator: Any,
        signal: ArrayLike,
        fs: float,
        *,
        method: Callable[[Any, ArrayLike], np.ndarray] = occlusion,
        ax: AxesLike = None,
        **kwargs: Any,
    ) -> TwelveLeadDisplay:
        """Plot a recording with the attributions of a classifier.

        Parameters
        ----------
        estimator : object
            Fitted classifier of recordings of 12 leads.
        signal : array-like of shape (12, n_samples)
            The recording in mV, as the classifier takes it.

        Returns
        -------
        TwelveLeadDisplay

        Raises
        ------
        ValueError
            If `method` returns a shape other than (1, 12, n_samples), or a parameter is invalid.
        """
        signal = np.asarray(signal)
        (attributions,) = method(estimator, signal[np.newaxis])
        kwargs = {"colorbar_label": label_of_method(method), **kwargs}
        return cls(signal, fs, attributions=attributions, **kwargs).plot(ax=ax)

    def _rows(self) -> list[tuple[str, ...]]:
        # Read downwards, the columns of the rows have the usual order.
        rows = [_LEADS[row::3] for row in range(3)]
        return [*rows, (self.rhythm,)] if self.rhythm else rows

    def _check_axes(self, ax: Any) -> np.ndarray:
        return arrange_axes(ax, (len(self._rows()), 1), ("rows", "columns"))[:, 0]

    def _new_axes(self, plt: Any) -> np.ndarray:
        return np.atleast_1d(
            plt.subplots(len(self._rows()), figsize=self._figsize, layout="constrained")[1]
        )

    def _draw(self, axes: np.ndarray, is_new: bool) -> None:
        self.axes_ = axes
        n_samples = self.signal.shape[1]
        low, high = np.nanmin(self.signal), np.nanmax(self.signal)
        low, high = np.floor(low / 0.5) * 0.5, np.ceil(high / 0.5) * 0.5 + 0.5
        upper = {name.upper(): name for name in _LEADS}
        band = None
        highest = 1.0
        if self.attributions is not None:
            highest = float(np.abs(self.attributions).max()) or 1.0
        for panel, names in zip(axes, self._rows()):
            draw_paper(panel, (0, n_samples / self.fs), (low, high), high)
            for part, given in zip(np.array_split(np.arange(n_samples), len(names)), names):
                name = upper[given.upper()]
                time, signal = part / self.fs, self.signal[self._row[name], part]
                if self.attributions is not None:
                    values = self.attributions[self._row[name], part]
                    band = attribution_band(time, signal, values, highest)
                    panel.add_collection(band)
                panel.plot(time, signal, color=COLORS["black"], lw=0.8)
                share = f" {self.lead_shares_[name]:.0%}" if self.lead_shares_ else ""
                panel.text(time[0] + 0.04, high - 0.1, f"{name}{share}", va="top", fontsize=8)
            panel.tick_params(labelbottom=panel is axes[-1])
            panel.set_ylabel("mV", fontsize=8)
        axes[-1].set_xlabel("time (s)")
        if self.title:
            axes[0].set_title(self.title, loc="left", fontsize="medium")
        if band is not None:
            self.figure_.colorbar(band, ax=list(axes), aspect=40, label=self.colorbar_label)
