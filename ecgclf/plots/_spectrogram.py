"""Display of spectrograms."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from ecgclf.plots._display import AxesLike, Display


@dataclass(eq=False, repr=False)
class SpectrogramDisplay(Display):
    """Spectrogram in dB.

    Create it with `from_spectrogram` or `from_estimator`.

    Parameters
    ----------
    decibels : ndarray of shape (n_freqs, n_frames)
        The spectrogram in dB.
    frequencies : ndarray of shape (n_freqs,)
        Frequencies in Hz, increasing.
    times : ndarray of shape (n_frames,)
        Centre of each frame in s, increasing.
    reference : str, default="1 mV²/Hz"
        Power at 0 dB.
    cmap : str, default="viridis"
        Name of a matplotlib colour map. The lightness of the default increases evenly, so that
        it is readable without colour.

    Attributes
    ----------
    mesh_ : matplotlib QuadMesh
        The coloured cells.
    colorbar_ : matplotlib Colorbar
        The colour bar.

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

    decibels: np.ndarray
    frequencies: np.ndarray
    times: np.ndarray
    _: KW_ONLY
    reference: str = "1 mV²/Hz"
    cmap: str = "viridis"

    _figsize: ClassVar[tuple[float, float]] = (5.6, 3.6)

    @classmethod
    def from_estimator(cls, transformer: Any, X: ArrayLike, **kwargs: Any) -> SpectrogramDisplay:
        """Plot the spectrogram that a fitted transformer computes.

        Parameters
        ----------
        transformer : object
            Its ``transform`` returns spectrograms of shape (n_beats, n_freqs, n_frames), or
            with the leads one after another in an axis before the frames. ``frequencies_``
            (in Hz) and ``times_`` (in s) are their axes. If its ``log`` is True they are in
            dB.
        X : array-like
            Beats as ``transform`` expects them. The mean power of several beats and leads is
            shown.
        **kwargs
            Further parameters of `from_spectrogram`.

        Returns
        -------
        SpectrogramDisplay

        Raises
        ------
        AttributeError
            If the transformer lacks ``frequencies_`` or ``times_``.
        ValueError
            If ``transform`` does not return spectrograms.
        """
        if missing := [n for n in ("frequencies_", "times_") if not hasattr(transformer, n)]:
            raise AttributeError(
                f"{type(transformer).__name__} has no {' and no '.join(missing)}; expected a "
                "fitted transformer that computes spectrograms. Of a Pipeline, pass that step."
            )
        values = np.asarray(transformer.transform(X))
        shape = (len(transformer.frequencies_), len(transformer.times_))
        if values.size == 0 or values.size % np.prod(shape):
            raise ValueError(
                f"transform returned shape {values.shape}; expected spectrograms of {shape[0]} "
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
        ax: AxesLike = None,
    ) -> SpectrogramDisplay:
        """Plot a spectrogram.

        Parameters
        ----------
        values : array-like of shape (n_freqs, n_frames)
            Power, or dB with `in_db`.
        frequencies, times, reference, cmap
            As in the class.
        in_db : bool, default=False
            Whether `values` are in dB.
        dynamic_range : float, default=60
            Range of the colours below the maximum, in dB.
        ax
            As in `plot`.

        Returns
        -------
        SpectrogramDisplay

        Raises
        ------
        ValueError
            If the shapes do not match, `values` are not finite, or the power is negative
            somewhere or zero everywhere.
        """
        spectrogram = np.asarray(values, dtype=float)
        frequencies, times = np.asarray(frequencies, float), np.asarray(times, float)
        if spectrogram.ndim != 2 or spectrogram.shape != (frequencies.size, times.size):
            raise ValueError(
                f"values has shape {spectrogram.shape}; expected ({frequencies.size}, "
                f"{times.size}), the numbers of frequencies and times."
            )
        if not spectrogram.size or not np.isfinite(spectrogram).all():
            raise ValueError("values is empty or holds NaN or infinity; expected finite values.")
        if not in_db:
            if spectrogram.min() < 0 or spectrogram.max() == 0:
                raise ValueError(
                    f"values ranges from {spectrogram.min():.3g} to {spectrogram.max():.3g} and "
                    "cannot be power. Pass in_db=True for values in dB."
                )
            with np.errstate(divide="ignore"):
                spectrogram = 10 * np.log10(spectrogram)
        floor = spectrogram.max() - dynamic_range
        decibels = np.maximum(spectrogram, floor)
        display = cls(decibels, frequencies, times, reference=reference, cmap=cmap)
        return display.plot(ax=ax)

    def _draw(self, axes: Any, is_new: bool) -> None:
        self.mesh_ = axes.pcolormesh(
            self.times, self.frequencies, self.decibels, shading="nearest", cmap=self.cmap
        )
        self.mesh_.set_rasterized(True)
        axes.set(xlabel="time (s)", ylabel="frequency (Hz)")
        self.colorbar_ = self.figure_.colorbar(
            self.mesh_, ax=axes, label=f"power (dB re {self.reference})"
        )
