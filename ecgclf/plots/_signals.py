"""Displays of signals: recordings on ECG paper and spectrograms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ecgclf.plots._display import COLORS, AxesLike, Display, arrange_axes

#: Scale of ECG paper: 25 mm per second and 10 mm per millivolt.
_MM_PER_S, _MM_PER_MV = 25.0, 10.0
_MM_PER_INCH = 25.4

#: Spacing of the fine and bold lines, 1 and 5 mm: in seconds and in mV.
_FINE, _BOLD = (0.04, 0.1), (0.2, 0.5)
_PAPER: tuple[tuple[Literal["minor", "major"], str, float], ...] = (
    ("minor", "#F6D5D5", 0.4),
    ("major", "#E3A0A0", 0.7),
)

#: Left, right, top and bottom margin, gap between leads and between rows, in mm.
_LEFT, _RIGHT, _TOP, _BOTTOM, _BETWEEN_LEADS, _BETWEEN_ROWS = 24.0, 5.0, 9.0, 12.0, 4.0, 8.0

#: Maximum length of a row in s and maximum height in mV, which limit the number of lines.
_LONGEST_ROW, _HIGHEST_ROW = 30.0, 50.0

#: Height of a line of labels in mV, and half the width of the mark of an error in s.
_LABEL_HEIGHT, _MARK = 0.4, 0.12

#: Labels that are right, and predicted ones that are wrong.
_RIGHT_LABEL: dict[str, Any] = {"color": COLORS["black"]}
_WRONG_LABEL: dict[str, Any] = {
    "color": "white",
    "weight": "bold",
    "bbox": {"boxstyle": "square,pad=0.2", "facecolor": "#A03000", "edgecolor": "none"},
}


class RecordDisplay(Display):
    """Section of a recording on ECG paper, with annotated and predicted beats.

    The paper has fine lines every 0.04 s and 0.1 mV and bold lines every 0.2 s and 0.5 mV. A new
    figure has the true size, 25 mm/s and 10 mm/mV. Annotated and predicted labels are printed
    above the first lead. Where they differ, the predicted label is boxed and the beat is
    marked in all leads.

    Parameters
    ----------
    signal : array-like of shape (n_samples,) or (n_leads, n_samples)
        The whole recording, in mV. NaN leaves a gap.
    fs : float
        Sampling rate in Hz.
    r_peaks : array-like of shape (n_beats,), optional
        Position of each beat in the recording, in samples.
    labels, predicted : array-like of shape (n_beats,), optional
        True and predicted label of each beat.
    start : float, default=0
        Start of the section in s.
    duration : float or None, default=10
        Length of the section in s; None extends it to the end of the recording.
    row_duration : float, default=10
        Length of a row in s, at most 30. A longer section has several rows.
    lead_names : sequence of str, optional
        Name of each lead.

    Attributes
    ----------
    axes_ : ndarray of shape (n_rows, n_leads) of matplotlib Axes
        The panels. The argument `ax` of `plot` has as many axes, row by row.
    label_texts_, predicted_texts_ : list of matplotlib Text
        The printed labels, in the order of the beats.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgclf.plots import RecordDisplay
    >>> signal = np.sin(np.arange(1800) / 20)
    >>> display = RecordDisplay(
    ...     signal, 360, r_peaks=[300, 900], labels=["N", "V"], predicted=["N", "N"], duration=5
    ... ).plot()
    >>> display.ax_.get_xlabel(), display.differs.tolist()
    ('time (s)', [False, True])
    """

    signal: ArrayLike
    fs: float
    _: KW_ONLY
    r_peaks: ArrayLike | None = None
    labels: ArrayLike | None = None
    predicted: ArrayLike | None = None
    start: float = 0.0
    duration: float | None = 10.0
    row_duration: float = 10.0
    lead_names: Sequence[str] | None = None

    def __post_init__(self) -> None:
        record = np.atleast_2d(np.asarray(self.signal, dtype=float))
        if record.ndim != 2 or not record.size:
            raise ValueError(
                "signal must be of shape (n_samples,) or (n_leads, n_samples); got "
                f"{np.shape(self.signal)}."
            )
        if not 0 < self.row_duration <= _LONGEST_ROW:
            raise ValueError(
                f"row_duration={self.row_duration}; expected more than 0 and at most "
                f"{_LONGEST_ROW:g} s."
            )
        if self.lead_names is not None and len(self.lead_names) != len(record):
            raise ValueError(
                f"lead_names has {len(self.lead_names)} names; expected {len(record)}, one for "
                "each lead."
            )
        length = record.shape[1] / self.fs
        end = length if self.duration is None else min(self.start + self.duration, length)
        if not 0 <= self.start < end:
            raise ValueError(
                f"start={self.start} and duration={self.duration} select no sample of a "
                f"recording of {length:.2f} s."
            )
        first, last = round(self.start * self.fs), round(end * self.fs)
        self._section, self._begin = record[:, first:last], first / self.fs
        self._beats = self._beats_between(first, last)
        if (widest := max(high - low for low, high, _ in self._ranges())) > _HIGHEST_ROW:
            raise ValueError(
                f"signal spans {widest:g} mV; expected at most {_HIGHEST_ROW:g} mV. Convert it "
                "to mV or remove artefacts."
            )

    def _beats_between(self, first: int, last: int) -> pd.DataFrame:
        """Check the beats and return those of the section, with columns for what is given."""
        columns = {"r_peaks": self.r_peaks, "labels": self.labels, "predicted": self.predicted}
        given = {name: np.asarray(v) for name, v in columns.items() if v is not None}
        if not given:
            return pd.DataFrame({"time": [], "differs": np.empty(0, dtype=bool)})
        if self.r_peaks is None:
            raise ValueError(
                f"{' and '.join(given)} need r_peaks, the positions of the beats; got None."
            )
        for name, values in given.items():
            if values.ndim != 1 or values.shape != given["r_peaks"].shape:
                raise ValueError(
                    f"{name} has shape {values.shape} and r_peaks {given['r_peaks'].shape}; "
                    "expected one entry for each beat."
                )
            if pd.isna(values).any():
                raise ValueError(f"{name} holds missing values; leave those beats out.")
        beats = pd.DataFrame(given)
        beats = beats[(beats["r_peaks"] >= first) & (beats["r_peaks"] < last)]
        is_compared = {"labels", "predicted"} <= set(beats)
        return beats.assign(
            time=self._begin + (beats["r_peaks"] - first) / self.fs,
            differs=beats["labels"] != beats["predicted"] if is_compared else False,
        )

    @property
    def differs(self) -> np.ndarray:
        """Whether the prediction of each beat of the section differs from its label."""
        return self._beats["differs"].to_numpy()

    def _n_rows(self) -> int:
        # Slightly less, because rounding could add an empty row.
        duration = self._section.shape[1] / self.fs
        return max(1, int(np.ceil(duration / self.row_duration - 1e-6)))

    def _check_axes(self, ax: Any) -> np.ndarray:
        return arrange_axes(ax, (self._n_rows(), len(self._section)), ("rows", "leads"))

    def _new_axes(self, plt: Any) -> np.ndarray:
        """Make a figure in which the panels have the size of ECG paper."""
        n_rows = self._n_rows()
        heights = [(top - low) * _MM_PER_MV for low, _, top in self._ranges()]
        row_height = sum(heights) + _BETWEEN_LEADS * (len(heights) - 1)
        row_width = self.row_duration * _MM_PER_S
        width = _LEFT + row_width + _RIGHT
        height = _TOP + n_rows * row_height + (n_rows - 1) * _BETWEEN_ROWS + _BOTTOM
        figure = plt.figure(figsize=(width / _MM_PER_INCH, height / _MM_PER_INCH))
        axes = np.empty((n_rows, len(heights)), dtype=object)
        for row, lead in np.ndindex(*axes.shape):
            above = row * (row_height + _BETWEEN_ROWS)
            above += sum(heights[:lead]) + lead * _BETWEEN_LEADS
            bottom = height - _TOP - above - heights[lead]
            box = (_LEFT / width, bottom / height, row_width / width, heights[lead] / height)
            axes[row, lead] = figure.add_axes(box)
        return axes

    def _draw(self, axes: np.ndarray, is_new: bool) -> None:
        self.axes_ = axes
        ranges = self._ranges()
        n_leads, n_samples = self._section.shape
        self.label_texts_: list[Any] = []
        self.predicted_texts_: list[Any] = []
        time = self._begin + np.arange(n_samples) / self.fs
        for row, lead in np.ndindex(*axes.shape):
            panel: Any = axes[row, lead]
            left = self._begin + row * self.row_duration
            right = left + self.row_duration
            low, signal_top, top = ranges[lead]
            draw_paper(panel, (left, right), (low, top), signal_top)
            here = (time >= left) & (time < right)
            panel.plot(time[here], self._section[lead, here], color=COLORS["black"], lw=0.9)
            name = "amplitude" if self.lead_names is None else self.lead_names[lead]
            panel.set_ylabel(f"{name} (mV)")
            panel.tick_params(labelbottom=lead == n_leads - 1)
            self._draw_beats(panel, left, right, top if lead == 0 else None)
        axes[-1, -1].set_xlabel("time (s)")
        title = f"{_MM_PER_S:g} mm/s, {_MM_PER_MV:g} mm/mV"
        if self.labels is not None and self.predicted is not None:
            title = f"{self.differs.sum()} of {len(self._beats)} predictions differ; {title}"
        self.ax_.set_title(title, loc="right", fontsize="small")

    def _label_lines(self) -> list[tuple[str, str | None]]:
        """List the lines of labels from the top, with their columns of the beats."""
        names = (("annotated", "labels"), ("predicted", "predicted"))
        lines: list[tuple[str, str | None]]
        lines = [(name, column) for name, column in names if column in self._beats]
        return lines or ([] if self.r_peaks is None else [("beats", None)])

    def _ranges(self) -> list[tuple[float, float, float]]:
        """Return the lower limit, the top of the signal and the upper limit per lead in mV."""
        ranges, bold = [], _BOLD[1]
        for lead, row in enumerate(self._section):
            signal = row[np.isfinite(row)]
            low, high = (signal.min(), signal.max()) if signal.size else (0.0, 0.0)
            low, high = np.floor(low / bold) * bold, np.ceil(high / bold) * bold
            if low == high:
                low, high = low - bold, high + bold
            lines = self._label_lines() if lead == 0 else []
            ranges.append((low, high, high + _LABEL_HEIGHT * len(lines) + 0.2 * bool(lines)))
        return ranges

    def _draw_beats(self, panel: Any, left: float, right: float, top: float | None) -> None:
        """Mark the beats in one panel, and print their labels if there is a `top`."""
        beats = self._beats
        beats = beats[(beats["time"] >= left) & (beats["time"] < right)]
        for time in beats.loc[beats["differs"], "time"]:
            panel.axvspan(
                max(left, time - _MARK),
                min(right, time + _MARK),
                facecolor=COLORS["orange"],
                edgecolor=COLORS["vermilion"],
                alpha=0.35,
                hatch="///",
                lw=0,
            )
        if top is None:
            return
        for number, (name, column) in enumerate(self._label_lines()):
            height = top - (number + 0.5) * _LABEL_HEIGHT
            panel.annotate(
                name,
                (0, height),
                xycoords=("axes fraction", "data"),
                xytext=(-4, 0),
                textcoords="offset points",
                ha="right",
                va="center",
                fontsize=7,
                annotation_clip=False,
            )
            if column is None:
                heights = np.full(len(beats), height)
                panel.plot(beats["time"], heights, "v", color=COLORS["blue"], ms=4)
                continue
            texts = self.label_texts_ if name == "annotated" else self.predicted_texts_
            for time, label, differs in zip(beats["time"], beats[column], beats["differs"]):
                looks = _WRONG_LABEL if name == "predicted" and differs else _RIGHT_LABEL
                texts.append(
                    panel.text(
                        time, height, str(label), ha="center", va="center", fontsize=8, **looks
                    )
                )


def draw_paper(
    panel: Any, times: tuple[float, float], range_mv: tuple[float, float], signal_top: float
) -> None:
    """Draw the lines of the paper, with tick labels at each second and each 0.5 mV."""
    panel.set(xlim=times, ylim=range_mv, aspect=_MM_PER_MV / _MM_PER_S)
    for axis, fine, bold in zip((panel.xaxis, panel.yaxis), _FINE, _BOLD):
        low, high = times if axis is panel.xaxis else range_mv
        for spacing, minor in ((fine, True), (bold, False)):
            first = np.ceil(low / spacing - 1e-6) + 0.0  # 0, not -0
            steps = np.arange(first, np.floor(high / spacing + 1e-6) + 1)
            axis.set_ticks(steps * spacing, minor=minor)
    # Five labels per second would overlap.
    panel.xaxis.set_major_formatter(lambda t, _: f"{t:g}" if abs(t - round(t)) < 1e-6 else "")
    panel.yaxis.set_major_formatter(lambda v, _: f"{v:g}" if v <= signal_top + 1e-6 else "")
    for which, color, width in _PAPER:
        panel.grid(which=which, color=color, lw=width)
    panel.tick_params(which="both", length=0, labelsize=7)
    panel.set_axisbelow(True)


class SpectrogramDisplay(Display):
    """Spectrogram in dB.

    Parameters
    ----------
    values : array-like of shape (n_freqs, n_frames)
        Power, or dB with `in_db`.
    frequencies : array-like of shape (n_freqs,)
        Frequencies in Hz, increasing.
    times : array-like of shape (n_frames,)
        Centre of each frame in s, increasing.
    in_db : bool, default=False
        Whether `values` are in dB.
    dynamic_range : float, default=60
        Range of the colours below the maximum, in dB.
    reference : str, default="1 mV²/Hz"
        Power at 0 dB.
    cmap : str, default="viridis"
        Name of a matplotlib colour map. The lightness of the default increases evenly, so that
        it is readable without colour.

    Attributes
    ----------
    decibels : ndarray of shape (n_freqs, n_frames)
        The spectrogram in dB, within the dynamic range.
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
    >>> display = SpectrogramDisplay(power, frequencies, times).plot()
    >>> display.colorbar_.ax.get_ylabel()
    'power (dB re 1 mV²/Hz)'
    """

    values: np.ndarray
    frequencies: np.ndarray
    times: np.ndarray
    _: KW_ONLY
    in_db: bool = False
    dynamic_range: float = 60.0
    reference: str = "1 mV²/Hz"
    cmap: str = "viridis"

    _figsize: ClassVar[tuple[float, float]] = (5.6, 3.6)

    def __post_init__(self) -> None:
        spectrogram = np.asarray(self.values, dtype=float)
        self.frequencies, self.times = (
            np.asarray(axis, dtype=float) for axis in (self.frequencies, self.times)
        )
        shape = (self.frequencies.size, self.times.size)
        if spectrogram.shape != shape:
            raise ValueError(
                f"values has shape {spectrogram.shape}; expected {shape}, the numbers of "
                "frequencies and times."
            )
        if not spectrogram.size or not np.isfinite(spectrogram).all():
            raise ValueError("values is empty or holds NaN or infinity; expected finite values.")
        if not self.in_db:
            if spectrogram.min() < 0 or spectrogram.max() == 0:
                raise ValueError(
                    f"values ranges from {spectrogram.min():.3g} to {spectrogram.max():.3g} and "
                    "cannot be power. Pass in_db=True for values in dB."
                )
            with np.errstate(divide="ignore"):
                spectrogram = 10 * np.log10(spectrogram)
        floor = spectrogram.max() - self.dynamic_range
        self.decibels = np.maximum(spectrogram, floor)

    @classmethod
    def from_estimator(
        cls, transformer: Any, X: ArrayLike, *, ax: AxesLike = None, **kwargs: Any
    ) -> SpectrogramDisplay:
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
            Further parameters of the class.

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
        return cls(mean, transformer.frequencies_, transformer.times_, **kwargs).plot(ax=ax)

    def _draw(self, axes: Any, is_new: bool) -> None:
        self.mesh_ = axes.pcolormesh(
            self.times, self.frequencies, self.decibels, shading="nearest", cmap=self.cmap
        )
        self.mesh_.set_rasterized(True)
        axes.set(xlabel="time (s)", ylabel="frequency (Hz)")
        self.colorbar_ = self.figure_.colorbar(
            self.mesh_, ax=axes, label=f"power (dB re {self.reference})"
        )
