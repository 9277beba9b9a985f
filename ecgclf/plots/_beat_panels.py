"""Displays with one column of panels per beat."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from ecgclf.evaluation import occlusion
from ecgclf.plots._display import COLORS, AxesLike, PanelDisplay, beats_in_3d, signals_of

#: Colours of negative, zero and positive attributions. They also differ in lightness.
_DIVERGING = (COLORS["blue"], "#8C8C8C", COLORS["orange"])

#: Width of the line in points at the largest attribution.
_WIDEST = 9.0

#: Labels of the attributions of known methods.
_METHOD_LABELS = {
    "occlusion": "decrease in probability",
    "integrated_gradients": "attribution (logits)",
}


class _BeatPanelDisplay(PanelDisplay):
    """Base class of displays of a few beats.

    Parameters
    ----------
    X : array-like of shape (n_beats, n_samples) or (n_beats, n_leads, n_samples)
        The beats.
    """

    X: np.ndarray

    _columns: ClassVar[str] = "beats"
    _per_row: ClassVar[int] = 4

    @abstractmethod
    def _titles(self) -> Sequence[str]:
        """Return the title of each beat, or nothing."""

    def _beats_and(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Return `X` and the parameter `name` in the same shape, in 3-D."""
        beats, values = beats_in_3d(self.X), np.asarray(getattr(self, name))
        if not beats.size or values.shape[:1] != beats.shape[:1] or values.size != beats.size:
            raise ValueError(
                f"X has shape {np.shape(self.X)} and {name} {values.shape}; expected at least "
                "one beat and equal sizes."
            )
        return beats, values.reshape(beats.shape)

    def _shape(self) -> tuple[int, int, int]:
        n_beats, n_leads, n_samples = self.X.shape
        return n_leads, n_beats, n_samples

    def _draw(self, axes: np.ndarray, is_new: bool) -> None:
        super()._draw(axes, is_new)
        for panel, title in zip(axes[0], self._titles()):
            panel.set_title(title, fontsize="medium")


class AttributionDisplay(_BeatPanelDisplay):
    """Beats with the contribution of each sample to a decision.

    The width of the band along the curve is proportional to the square root of the size of the
    attribution, so that small ones remain visible; its colour is orange for positive and blue for
    negative attributions. All panels have the same scale.

    Parameters
    ----------
    attributions : array-like of the shape of `X`
        Attribution of each sample.
    titles : sequence of str, optional
        Title of each beat.
    colorbar_label : str, default="attribution"
        Label of the colour bar: what the attributions are, with their unit.
    vmax : float, optional
        Attribution at which the band has its full width and colour; by default the largest
        absolute value of all panels. Lower it if one beat dominates.

    Attributes
    ----------
    bands_ : ndarray of shape (n_leads, n_beats) of matplotlib LineCollection
        The coloured bands.
    colorbar_ : matplotlib Colorbar
        The colour bar.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from ecgclf.datasets import make_beats
    >>> from ecgclf.plots import AttributionDisplay
    >>> beats = make_beats(n_beats=200, random_state=0)
    >>> model = LogisticRegression(max_iter=1000).fit(beats.data, beats.target)
    >>> display = AttributionDisplay.from_estimator(model, beats.data[:3], fs=beats.fs)
    >>> display.axes_.shape, display.colorbar_.ax.get_ylabel()
    ((1, 3), 'decrease in probability')
    """

    attributions: np.ndarray
    _: KW_ONLY
    titles: Sequence[str] | None = None
    colorbar_label: str = "attribution"
    vmax: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.X, values = self._beats_and("attributions")
        self.attributions = values.astype(float)
        if self.titles is not None and len(self.titles) != len(self.X):
            raise ValueError(f"titles has {len(self.titles)} entries; expected {len(self.X)}.")

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: ArrayLike,
        y: ArrayLike | None = None,
        *,
        fs: float,
        method: Callable[[Any, ArrayLike], np.ndarray] = occlusion,
        ax: AxesLike = None,
        **kwargs: Any,
    ) -> AttributionDisplay:
        """Plot attributions of the predictions of a fitted classifier.

        Parameters
        ----------
        estimator : object
            Fitted classifier.
        X : array-like of shape (n_beats, n_samples) or (n_beats, n_leads, n_samples)
            A few beats, as the estimator expects them. Per-beat features are not drawn.
        y : array-like of shape (n_beats,), optional
            True labels, for the titles.
        method : callable, default=occlusion
            Called with `estimator` and the beats or recordings; returns the attribution of each
            sample to the predicted class. For example `ecgclf.evaluation.occlusion`,
            `ecgclf.evaluation.integrated_gradients` or your own function. Set their parameters,
            such as the label to explain, with `functools.partial`.
        **kwargs
            Further parameters of the class. `colorbar_label` is set by default for the two
            methods above.

        Returns
        -------
        AttributionDisplay

        Raises
        ------
        ValueError
            If `method` returns a shape other than that of `X`, or a parameter is invalid.
        """
        attributions = np.asarray(method(estimator, X))
        if attributions.shape != np.shape(X):
            raise ValueError(
                f"method returned shape {attributions.shape}; expected that of X, {np.shape(X)}."
            )
        label = label_of_method(method)
        titles = [f"predicted {label}" for label in np.asarray(estimator.predict(X))]
        if y is not None:
            titles = [f"{true}, {title}" for true, title in zip(np.asarray(y), titles)]
        kwargs = {"titles": titles, "colorbar_label": label, **kwargs}
        signals, values = signals_of(estimator, X), signals_of(estimator, attributions)
        return cls(signals, values, fs=fs, **kwargs).plot(ax=ax)

    def _titles(self) -> Sequence[str]:
        return self.titles or ()

    def _draw_panels(self, time: np.ndarray) -> Sequence[Any]:
        self.bands_ = np.empty(self.axes_.shape, dtype=object)
        highest = self.vmax or float(np.abs(self.attributions).max()) or 1.0
        for (lead, beat), panel in np.ndenumerate(self.axes_):
            signal, values = self.X[beat, lead], self.attributions[beat, lead]
            self.bands_[lead, beat] = attribution_band(time, signal, values, highest)
            panel.add_collection(self.bands_[lead, beat])
            panel.plot(time, signal, color=COLORS["black"], lw=0.9)
        self.colorbar_ = self.figure_.colorbar(
            self.bands_[0, 0], ax=list(self.axes_.ravel()), aspect=30, label=self.colorbar_label
        )
        return ()


def _signed_root(values: np.ndarray) -> np.ndarray:
    return np.sign(values) * np.sqrt(np.abs(values))


def _signed_square(values: np.ndarray) -> np.ndarray:
    return np.sign(values) * np.square(values)


def label_of_method(method: Callable[..., Any]) -> str:
    """Return the label of the attributions of a method, which may be a partial function."""
    name = getattr(getattr(method, "func", method), "__name__", "")
    return _METHOD_LABELS.get(name, AttributionDisplay.colorbar_label)


def attribution_band(
    time: np.ndarray, signal: np.ndarray, values: np.ndarray, highest: float
) -> Any:
    """Make a band along a curve; `highest` is the attribution of full width and colour."""
    from matplotlib.collections import LineCollection
    from matplotlib.colors import FuncNorm, LinearSegmentedColormap

    return LineCollection(
        list(_pieces(time, signal)),
        array=values,
        cmap=LinearSegmentedColormap.from_list("attribution", _DIVERGING),
        norm=FuncNorm((_signed_root, _signed_square), vmin=-highest, vmax=highest),
        linewidths=_WIDEST * _signed_root(np.minimum(np.abs(values) / highest, 1)),
        capstyle="round",
    )


def _pieces(time: np.ndarray, signal: np.ndarray) -> np.ndarray:
    """Split a curve into one piece per sample, from midpoint to midpoint."""
    points = np.column_stack([time, signal])
    middles = (points[1:] + points[:-1]) / 2
    starts = np.concatenate([points[:1], middles])
    ends = np.concatenate([middles, points[-1:]])
    return np.stack([starts, points, ends], axis=1)


class ReconstructionDisplay(_BeatPanelDisplay):
    """Beats and their reconstructions, with the error shaded.

    The title of a beat shows its score as defined by `ECGAutoencoder.score_samples`: the
    negative mean squared error.

    Parameters
    ----------
    reconstructed : array-like
        Reconstructions of the beats, with as many numbers as `X`.
    y : array-like of shape (n_beats,), optional
        Labels, for the titles.

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

    reconstructed: np.ndarray
    y: np.ndarray | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.X, self.reconstructed = self._beats_and("reconstructed")
        self.y = None if self.y is None else np.asarray(self.y)
        if self.y is not None and len(self.y) != len(self.X):
            raise ValueError(f"y has {len(self.y)} labels; expected {len(self.X)}.")

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: ArrayLike,
        y: ArrayLike | None = None,
        *,
        fs: float,
        ax: AxesLike = None,
        **kwargs: Any,
    ) -> ReconstructionDisplay:
        """Plot beats and their reconstructions by a fitted autoencoder.

        Parameters
        ----------
        estimator : object
            Fitted, with ``transform`` and ``inverse_transform``, such as an `ECGAutoencoder` or
            a PCA.
        X : array-like of shape (n_beats, n_samples) or (n_beats, n_leads, n_samples)
            A few beats, as the estimator expects them. Per-beat features are neither drawn nor
            part of the score.
        **kwargs
            Further parameters of the class.

        Returns
        -------
        ReconstructionDisplay
        """
        reconstructed = estimator.inverse_transform(estimator.transform(X))
        signals, back = signals_of(estimator, X), signals_of(estimator, reconstructed)
        labels = None if y is None else np.asarray(y)
        return cls(signals, back, labels, fs=fs, **kwargs).plot(ax=ax)

    def _titles(self) -> Sequence[str]:
        errors = np.square(self.X - self.reconstructed, dtype=np.float64).mean(axis=(1, 2))
        square = " mV²" if self.unit == "mV" else ""
        scores = [f"score {-e:.2g}{square}".replace("-", "\N{MINUS SIGN}") for e in errors]
        if self.y is None:
            return scores
        return [f"{label}, {score}" for label, score in zip(self.y, scores)]

    def _draw_panels(self, time: np.ndarray) -> Sequence[Any]:
        for (lead, beat), panel in np.ndenumerate(self.axes_):
            signal, back = self.X[beat, lead], self.reconstructed[beat, lead]
            error = panel.fill_between(
                time, signal, back, color=COLORS["orange"], alpha=0.5, lw=0, label="error"
            )
            (solid,) = panel.plot(time, signal, color=COLORS["black"], lw=1.2, label="beat")
            (dashed,) = panel.plot(
                time, back, color=COLORS["vermilion"], lw=1.4, ls="--", label="reconstruction"
            )
        return solid, dashed, error
