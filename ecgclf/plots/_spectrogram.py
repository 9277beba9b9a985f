"""How the frequencies of a beat change over time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from ecgclf.plots._style import pyplot

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class SpectrogramDisplay:
    """Spectrogram in dB, frequency over time.

    Make it with `from_spectrogram` or `from_estimator`.

    Parameters
    ----------
    decibels : ndarray of shape (n_freqs, n_frames)
        The spectrogram in dB.
    frequencies : ndarray of shape (n_freqs,)
        In Hz, rising.
    times : ndarray of shape (n_frames,)
        Middle of each frame in s, rising.
    reference : str, default="1 mV²/Hz"
        What is 0 dB.

    Attributes
    ----------
    mesh_ : matplotlib QuadMesh
    colorbar_ : matplotlib Colorbar
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    Examples
    --------
    >>> from scipy.signal import spectrogram
    >>> from ecgclf.datasets import make_beats
    >>> from ecgclf.plots import SpectrogramDisplay
    >>> beats = make_beats(n_beats=10, random_state=0)
    >>> frequencies, times, power = spectrogram(beats.data[0], beats.fs, nperseg=24, noverlap=20)
    >>> display = SpectrogramDisplay.from_spectrogram(power, frequencies, times)
    >>> display.colorbar_.ax.get_ylabel()
    'power (dB re 1 mV²/Hz)'
    """

    def __init__(
        self,
        decibels: np.ndarray,
        frequencies: np.ndarray,
        times: np.ndarray,
        *,
        reference: str = "1 mV²/Hz",
    ) -> None:
        self.decibels = decibels
        self.frequencies = frequencies
        self.times = times
        self.reference = reference

    @classmethod
    def from_estimator(cls, transformer: Any, X: ArrayLike, **kwargs: Any) -> SpectrogramDisplay:
        """Plot what a fitted transformer makes of a beat.

        Parameters
        ----------
        transformer : object
            Its ``transform`` gives spectrograms, of shape (n_beats, n_freqs, n_frames) or
            with the leads one after another in an axis before the frames; ``frequencies_``
            (Hz) and ``times_`` (s) are their axes. Its ``log``, if it has one, tells whether
            they are in dB.
        X : array-like
            What its ``transform`` takes. Of several beats and leads the mean power is shown.
        **kwargs
            As in `from_spectrogram`.

        Returns
        -------
        SpectrogramDisplay

        Raises
        ------
        AttributeError
            If the transformer has no ``frequencies_`` or ``times_``.
        ValueError
            As in `from_spectrogram`.
        """
        if missing := [n for n in ("frequencies_", "times_") if not hasattr(transformer, n)]:
            raise AttributeError(
                f"{type(transformer).__name__} has no {' and no '.join(missing)}; expected a "
                "fitted transformer that makes spectrograms (in a Pipeline a step of it)."
            )
        values = np.asarray(transformer.transform(X))
        shape = (len(transformer.frequencies_), len(transformer.times_))
        if values.size == 0 or values.size % np.prod(shape):
            raise ValueError(
                f"transform gave the shape {values.shape}; expected spectrograms of {shape[0]} "
                f"frequencies and {shape[1]} times."
            )
        kwargs = {"in_db": getattr(transformer, "log", False), **kwargs}
        power = values.reshape(-1, *shape).astype(float)
        if kwargs["in_db"]:
            mean = 10 * np.log10(np.mean(10 ** (power / 10), axis=0))
        else:
            mean = power.mean(axis=0)
        return cls.from_spectrogram(mean, transformer.frequencies_, transformer.times_, **kwargs)

    @classmethod
    def from_spectrogram(
        cls,
        values: ArrayLike,
        frequencies: ArrayLike,
        times: ArrayLike,
        *,
        in_db: bool = False,
        dynamic_range: float = 60.0,
        reference: str = "1 mV²/Hz",
        cmap: str = "viridis",
        ax: Axes | None = None,
    ) -> SpectrogramDisplay:
        """Plot a spectrogram.

        Parameters
        ----------
        values : array-like of shape (n_freqs, n_frames)
            Power, which is brought to dB, or dB (`in_db`).
        frequencies : array-like of shape (n_freqs,)
            In Hz, rising.
        times : array-like of shape (n_frames,)
            Middle of each frame in s, rising.
        in_db : bool, default=False
            Whether `values` are in dB.
        dynamic_range : float, default=60
            How far below the maximum the colours end, in dB.
        reference : str, default="1 mV²/Hz"
            The unit of the power, which is 0 dB.
        cmap, ax
            As in `plot`.

        Returns
        -------
        SpectrogramDisplay

        Raises
        ------
        ValueError
            If the shapes do not fit together, `values` are not finite, or a power is negative
            or zero everywhere.
        """
        spectrogram = np.asarray(values, dtype=float)
        frequencies, times = np.asarray(frequencies, float), np.asarray(times, float)
        if spectrogram.ndim != 2 or spectrogram.shape != (frequencies.size, times.size):
            raise ValueError(
                f"values has the shape {spectrogram.shape}; expected ({frequencies.size}, "
                f"{times.size}), as many as frequencies and times."
            )
        if not spectrogram.size or not np.isfinite(spectrogram).all():
            raise ValueError("values is empty, or holds NaN or infinity: give finite values.")
        if not in_db:
            if spectrogram.min() < 0 or spectrogram.max() == 0:
                raise ValueError(
                    f"values goes from {spectrogram.min():.3g} to {spectrogram.max():.3g}, which "
                    "is no power: pass in_db=True for values in dB."
                )
            with np.errstate(divide="ignore"):
                spectrogram = 10 * np.log10(spectrogram)
        floor = spectrogram.max() - dynamic_range
        display = cls(np.maximum(spectrogram, floor), frequencies, times, reference=reference)
        return display.plot(cmap=cmap, ax=ax)

    def plot(self, *, cmap: str = "viridis", ax: Axes | None = None) -> SpectrogramDisplay:
        """Draw the spectrogram.

        Parameters
        ----------
        cmap : str, default="viridis"
            Name of a matplotlib colour map. The default one rises evenly in lightness, so that
            it can be read without colour.
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        SpectrogramDisplay
            Itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        plt = pyplot("SpectrogramDisplay")
        if ax is None:
            _, ax = plt.subplots(figsize=(5.6, 3.6), layout="constrained")
        self.ax_, self.figure_ = ax, ax.figure
        self.mesh_ = ax.pcolormesh(
            self.times, self.frequencies, self.decibels, shading="nearest", cmap=cmap
        )
        self.mesh_.set_rasterized(True)
        ax.set(xlabel="time (s)", ylabel="frequency (Hz)")
        self.colorbar_ = self.figure_.colorbar(self.mesh_, ax=ax)
        self.colorbar_.set_label(f"power (dB re {self.reference})")
        return self
