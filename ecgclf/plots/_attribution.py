"""Which part of a beat a decision rests on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from ecgclf.evaluation import occlusion
from ecgclf.plots._panels import (
    beat_panels,
    beats_in_3d,
    label_panels,
    signals_of,
    time_of_samples,
)
from ecgclf.plots._style import COLORS, pyplot

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Dark against, light for: the colours differ in lightness, too.
_AGAINST, _NEUTRAL, _FOR = COLORS["blue"], "#8C8C8C", COLORS["orange"]

#: Width in points of the line where the credit is greatest.
_WIDEST = 9.0


class AttributionDisplay:
    """Beats with what each sample does for or against a decision.

    The band under the curve is as wide as the credit is great, orange where the sample speaks
    for the class and blue where it speaks against it; the curve itself is drawn in black. All
    panels have the same scale. Make it with `from_estimator` or `from_attributions`.

    Parameters
    ----------
    X : ndarray of shape (n_beats, n_leads, n_samples)
        The beats.
    attributions : ndarray of shape (n_beats, n_leads, n_samples)
        The credit of each sample.
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
    credit_name : str, default="credit"
        What the attributions are, with their unit.

    Attributes
    ----------
    axes_ : ndarray of shape (n_leads, n_beats) of matplotlib Axes
    bands_ : ndarray of shape (n_leads, n_beats) of matplotlib LineCollection
    colorbar_ : matplotlib Colorbar
    ax_ : matplotlib Axes
        The first of `axes_`.
    figure_ : matplotlib Figure

    See Also
    --------
    ecgclf.evaluation.occlusion : Credit by covering the beat piece by piece.
    ecgclf.evaluation.integrated_gradients : Credit by the gradients of a network.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from ecgclf.datasets import make_beats
    >>> from ecgclf.plots import AttributionDisplay
    >>> beats = make_beats(n_beats=200, random_state=0)
    >>> model = LogisticRegression(max_iter=1000).fit(beats.data, beats.target)
    >>> display = AttributionDisplay.from_estimator(model, beats.data[:3], fs=beats.fs)
    >>> display.axes_.shape, display.colorbar_.ax.get_ylabel()
    ((1, 3), 'fall of the probability')
    """

    def __init__(
        self,
        X: np.ndarray,
        attributions: np.ndarray,
        *,
        fs: float,
        before: float = 0.0,
        unit: Literal["mV", "scaled"] = "mV",
        titles: Sequence[str] | None = None,
        lead_names: Sequence[str] | None = None,
        credit_name: str = "credit",
    ) -> None:
        self.X = X
        self.attributions = attributions
        self.fs = fs
        self.before = before
        self.unit = unit
        self.titles = titles
        self.lead_names = lead_names
        self.credit_name = credit_name

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: ArrayLike,
        y: ArrayLike | None = None,
        *,
        fs: float,
        method: Callable[[Any, ArrayLike], np.ndarray] = occlusion,
        credit_name: str | None = None,
        **kwargs: Any,
    ) -> AttributionDisplay:
        """Plot what the predictions of a fitted classifier rest on.

        Parameters
        ----------
        estimator : object
            Fitted classifier.
        X : array-like of shape (n_beats, n_samples) or (n_beats, n_leads, n_samples)
            A few beats, as the estimator takes them. Per-beat features are not drawn.
        y : array-like of shape (n_beats,), optional
            Their true labels, for the titles.
        fs : float
            Sampling rate in Hz.
        method : callable, default=occlusion
            Called with `estimator` and `X`, gives the credit of each sample for the predicted
            class: `ecgclf.evaluation.occlusion`, `ecgclf.evaluation.integrated_gradients`, or
            a function of your own. `functools.partial` sets their parameters.
        credit_name : str, optional
            What the method gives, with its unit. Known for both methods named above.
        **kwargs
            As in `from_attributions`.

        Returns
        -------
        AttributionDisplay

        Raises
        ------
        ValueError
            As in `from_attributions`, or if the method gives another shape than that of `X`.
        """
        credit = np.asarray(method(estimator, X))
        if credit.shape != np.shape(X):
            raise ValueError(
                f"method gave the shape {credit.shape}; expected that of X, {np.shape(X)}."
            )
        if credit_name is None:
            name = getattr(getattr(method, "func", method), "__name__", "credit")
            credit_name = _CREDITS.get(name, "credit")
        predicted = np.asarray(estimator.predict(X))
        titles = [f"predicted {label}" for label in predicted]
        if y is not None:
            titles = [
                f"{true}, predicted {label}" for true, label in zip(np.asarray(y), predicted)
            ]
        kwargs = {"titles": titles, "credit_name": credit_name, **kwargs}
        signals, credit = signals_of(estimator, X), signals_of(estimator, credit)
        return cls.from_attributions(signals, credit, fs=fs, **kwargs)

    @classmethod
    def from_attributions(
        cls,
        X: ArrayLike,
        attributions: ArrayLike,
        *,
        fs: float,
        before: float = 0.0,
        unit: Literal["mV", "scaled"] = "mV",
        time_unit: Literal["s", "ms"] = "ms",
        titles: Sequence[str] | None = None,
        lead_names: Sequence[str] | None = None,
        credit_name: str = "credit",
        vmax: float | None = None,
        ax: Sequence[Axes] | np.ndarray | None = None,
    ) -> AttributionDisplay:
        """Plot credits over beats.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_samples) or (n_beats, n_leads, n_samples)
            The beats.
        attributions : array-like of the shape of `X`
            The credit of each sample.
        fs : float
            Sampling rate in Hz.
        before : float, default=0
            Seconds from the start of the window to the R peak: the zero of the time axis.
        unit : {"mV", "scaled"}, default="mV"
            Unit of the amplitudes.
        time_unit, vmax, ax
            As in `plot`.
        titles : sequence of str, optional
            Title of each beat.
        lead_names : sequence of str, optional
            Name of each lead.
        credit_name : str, default="credit"
            What the attributions are, with their unit.

        Returns
        -------
        AttributionDisplay

        Raises
        ------
        ValueError
            If `attributions` or `titles` do not fit `X`, there are no beats, or a unit is
            unknown.
        """
        beats, credit = beats_in_3d(X), np.asarray(attributions, dtype=float)
        if credit.shape != np.shape(X) or not beats.size:
            raise ValueError(
                f"X has the shape {np.shape(X)} and attributions {credit.shape}; expected at "
                "least one beat, and the same shape."
            )
        if titles is not None and len(titles) != len(beats):
            raise ValueError(f"titles has {len(titles)} entries; expected {len(beats)}.")
        display = cls(
            beats,
            credit.reshape(beats.shape),
            fs=fs,
            before=before,
            unit=unit,
            titles=titles,
            lead_names=lead_names,
            credit_name=credit_name,
        )
        return display.plot(time_unit=time_unit, vmax=vmax, ax=ax)

    def plot(
        self,
        *,
        time_unit: Literal["s", "ms"] = "ms",
        vmax: float | None = None,
        ax: Sequence[Axes] | np.ndarray | None = None,
    ) -> AttributionDisplay:
        """Draw the panels.

        Parameters
        ----------
        time_unit : {"s", "ms"}, default="ms"
            Unit of the time axis.
        vmax : float, optional
            Credit at which the band is widest and its colour full; the greatest in any panel
            by default. Lower it where one beat outdoes the others.
        ax : array of matplotlib Axes, optional
            Where to draw: as many axes as beats times leads, lead by lead. A new figure by
            default.

        Returns
        -------
        AttributionDisplay
            Itself.

        Raises
        ------
        ValueError
            If there are not as many axes as panels, or a unit is unknown.
        ImportError
            If matplotlib is not installed.
        """
        plt = pyplot("AttributionDisplay")
        from matplotlib.collections import LineCollection
        from matplotlib.colors import LinearSegmentedColormap

        n_beats, n_leads, n_samples = self.X.shape
        time = time_of_samples(n_samples, self.fs, self.before, time_unit)
        self.axes_ = beat_panels(plt, ax, n_beats, n_leads)
        self.ax_, self.figure_ = self.axes_[0, 0], self.axes_[0, 0].figure
        self.bands_ = np.empty(self.axes_.shape, dtype=object)
        colors = LinearSegmentedColormap.from_list("credit", [_AGAINST, _NEUTRAL, _FOR])
        highest = vmax or float(np.abs(self.attributions).max()) or 1.0
        for (lead, beat), panel in np.ndenumerate(self.axes_):
            signal, credit = self.X[beat, lead], self.attributions[beat, lead]
            self.bands_[lead, beat] = band = LineCollection(
                list(_pieces(time, signal)),
                array=credit,
                cmap=colors,
                linewidths=_WIDEST * np.minimum(np.abs(credit) / highest, 1),
                capstyle="round",
            )
            band.set_clim(-highest, highest)
            panel.add_collection(band)
            panel.plot(time, signal, color=COLORS["black"], lw=0.9)
            if lead == 0 and self.titles is not None:
                panel.set_title(self.titles[beat], fontsize="medium")
        label_panels(
            self.axes_,
            unit=self.unit,
            before=self.before,
            time_unit=time_unit,
            lead_names=self.lead_names,
        )
        self.colorbar_ = self.figure_.colorbar(
            self.bands_[0, 0], ax=list(self.axes_.ravel()), aspect=30
        )
        self.colorbar_.set_label(self.credit_name)
        return self


#: What the methods that we know give.
_CREDITS = {
    "occlusion": "fall of the probability",
    "integrated_gradients": "credit (logits)",
}


def _pieces(time: np.ndarray, signal: np.ndarray) -> np.ndarray:
    """Cut a curve into one piece around each sample, from midpoint to midpoint."""
    points = np.column_stack([time, signal])
    middles = (points[1:] + points[:-1]) / 2
    starts = np.concatenate([points[:1], middles])
    ends = np.concatenate([middles, points[-1:]])
    return np.stack([starts, points, ends], axis=1)
