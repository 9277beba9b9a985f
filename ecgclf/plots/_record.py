"""A strip of a record on ECG paper."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ecgclf.plots._paper import (
    HIGHEST_ROW,
    LONGEST_ROW,
    MM_PER_MV,
    MM_PER_S,
    bold_range,
    draw_paper,
    true_size,
)
from ecgclf.plots._style import COLORS, pyplot

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Height of a line of letters in mV, and half the width of the mark of an error in s.
_LANE, _MARK = 0.4, 0.12


class RecordDisplay:
    """A strip of a record on ECG paper, with its beats as annotated and as predicted.

    The paper has a fine line every 0.04 s and 0.1 mV and a bold one every 0.2 s and 0.5 mV. A
    figure of its own is of true size: 25 mm/s and 10 mm/mV. The letters of annotations and
    predictions stand in two lines over the first lead; where they differ, the predicted letter
    is boxed and the beat is marked in all leads. Make it with `from_signal`.

    Parameters
    ----------
    signal : ndarray of shape (n_leads, n_samples)
        The strip, in mV.
    fs : float
        Sampling rate in Hz.
    start : float, default=0
        Time of the first sample, in s.
    r_peaks : ndarray of shape (n_beats,), optional
        Position of each beat in the strip, in samples.
    labels, predicted : ndarray of shape (n_beats,), optional
        True and predicted label of each beat.
    lead_names : sequence of str, optional
        Name of each lead.

    Attributes
    ----------
    axes_ : ndarray of shape (n_rows, n_leads) of matplotlib Axes
    ax_ : matplotlib Axes
        The first of `axes_`.
    figure_ : matplotlib Figure
    label_texts_, predicted_texts_ : list of matplotlib Text
        The letters, in the order of the beats.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgclf.plots import RecordDisplay
    >>> signal = np.sin(np.arange(1800) / 20)
    >>> display = RecordDisplay.from_signal(
    ...     signal, 360, r_peaks=[300, 900], labels=["N", "V"], predicted=["N", "N"], duration=5
    ... )
    >>> display.ax_.get_xlabel(), display.differs.tolist()
    ('time (s)', [False, True])
    """

    def __init__(
        self,
        signal: np.ndarray,
        fs: float,
        *,
        start: float = 0.0,
        r_peaks: np.ndarray | None = None,
        labels: np.ndarray | None = None,
        predicted: np.ndarray | None = None,
        lead_names: Sequence[str] | None = None,
    ) -> None:
        self.signal = signal
        self.fs = fs
        self.start = start
        self.r_peaks = r_peaks
        self.labels = labels
        self.predicted = predicted
        self.lead_names = lead_names

    @classmethod
    def from_signal(
        cls,
        signal: ArrayLike,
        fs: float,
        *,
        r_peaks: ArrayLike | None = None,
        labels: ArrayLike | None = None,
        predicted: ArrayLike | None = None,
        start: float = 0.0,
        duration: float | None = 10.0,
        row_duration: float = 10.0,
        lead_names: Sequence[str] | None = None,
        ax: Axes | Sequence[Axes] | np.ndarray | None = None,
    ) -> RecordDisplay:
        """Cut a strip out of a record and plot it.

        Parameters
        ----------
        signal : array-like of shape (n_samples,) or (n_leads, n_samples)
            The record, in mV. Where it is NaN nothing is drawn.
        fs : float
            Sampling rate in Hz.
        r_peaks : array-like of shape (n_beats,), optional
            Position of each beat in the record, in samples.
        labels, predicted : array-like of shape (n_beats,), optional
            True and predicted label of each beat.
        start : float, default=0
            Where the strip begins, in s.
        duration : float or None, default=10
            Its length in s; None goes to the end of the record.
        row_duration : float, default=10
            Seconds in a row, at most 30; a longer strip has several rows.
        lead_names : sequence of str, optional
            Name of each lead.
        ax : matplotlib Axes or array of them, optional
            Where to draw: as many axes as rows times leads, row by row. A new figure by
            default.

        Returns
        -------
        RecordDisplay

        Raises
        ------
        ValueError
            If the shapes do not fit together, the strip is not in the record, or labels come
            without `r_peaks`.
        """
        record = np.atleast_2d(np.asarray(signal, dtype=float))
        if record.ndim != 2 or not record.size:
            raise ValueError(
                "signal must be of shape (n_samples,) or (n_leads, n_samples); got "
                f"{np.shape(signal)}."
            )
        length = record.shape[1] / fs
        end = length if duration is None else min(start + duration, length)
        if not 0 <= start < end:
            raise ValueError(
                f"start={start} and duration={duration}: there is nothing to draw of a record of "
                f"{length:.2f} s."
            )
        first, last = round(start * fs), round(end * fs)
        beats = _checked_beats(r_peaks, {"labels": labels, "predicted": predicted})
        if beats is not None:
            beats = {name: np.asarray(values) for name, values in beats.items()}
            inside = (beats["r_peaks"] >= first) & (beats["r_peaks"] < last)
            beats = {name: values[inside] for name, values in beats.items()}
            beats["r_peaks"] = beats["r_peaks"] - first
        display = cls(
            record[:, first:last], fs, start=first / fs, lead_names=lead_names, **(beats or {})
        )
        return display.plot(ax=ax, row_duration=row_duration)

    @property
    def differs(self) -> np.ndarray:
        """Whether the prediction of each beat differs from its label."""
        if self.r_peaks is None or self.labels is None or self.predicted is None:
            return np.zeros(0 if self.r_peaks is None else len(self.r_peaks), dtype=bool)
        return np.asarray(self.labels) != np.asarray(self.predicted)

    def plot(
        self,
        *,
        ax: Axes | Sequence[Axes] | np.ndarray | None = None,
        row_duration: float = 10.0,
    ) -> RecordDisplay:
        """Draw the strip.

        Parameters
        ----------
        ax : matplotlib Axes or array of them, optional
            Where to draw: as many axes as rows times leads, row by row. A new figure by
            default.
        row_duration : float, default=10
            Seconds in a row, at most 30.

        Returns
        -------
        RecordDisplay
            Itself.

        Raises
        ------
        ValueError
            If there are not as many axes as strips, `row_duration` is out of its range, there
            are not as many lead names as leads, or the signal goes over more than 50 mV.
        ImportError
            If matplotlib is not installed.
        """
        plt = pyplot("RecordDisplay")
        n_leads, n_samples = self.signal.shape
        if not 0 < row_duration <= LONGEST_ROW:
            raise ValueError(
                f"row_duration={row_duration}: expected more than 0 and at most "
                f"{LONGEST_ROW:g} s."
            )
        if self.lead_names is not None and len(self.lead_names) != n_leads:
            raise ValueError(
                f"lead_names has {len(self.lead_names)} names; expected {n_leads}, one for each "
                "lead."
            )
        # A hair less, or rounding might add an empty row.
        n_rows = max(1, int(np.ceil(n_samples / self.fs / row_duration - 1e-6)))
        ranges = [self._range(lead) for lead in range(n_leads)]
        if (widest := max(high - low for low, high, _ in ranges)) > HIGHEST_ROW:
            raise ValueError(
                f"the signal goes over {widest:g} mV, and the paper ends at {HIGHEST_ROW:g}: it "
                "has to be in mV, without an artefact of that height."
            )
        if ax is None:
            axes = true_size(plt, n_rows, ranges, row_duration)
        else:
            axes = np.asarray(ax, dtype=object).ravel()
            if axes.size != n_rows * n_leads:
                raise ValueError(
                    f"ax holds {axes.size} axes; expected {n_rows * n_leads}: {n_rows} rows "
                    f"times {n_leads} leads."
                )
            axes = axes.reshape(n_rows, n_leads)
        self.axes_: np.ndarray = axes
        self.ax_, self.figure_ = axes[0, 0], axes[0, 0].figure
        self.label_texts_: list[Any] = []
        self.predicted_texts_: list[Any] = []
        time = self.start + np.arange(n_samples) / self.fs
        for row, lead in np.ndindex(n_rows, n_leads):
            panel: Any = axes[row, lead]
            left = self.start + row * row_duration
            low, signal_top, top = ranges[lead]
            draw_paper(panel, (left, left + row_duration), (low, top), signal_top)
            here = (time >= left) & (time < left + row_duration)
            panel.plot(time[here], self.signal[lead, here], color=COLORS["black"], lw=0.9)
            name = "" if self.lead_names is None else f"{self.lead_names[lead]} "
            panel.set_ylabel(f"{name}(mV)" if name else "amplitude (mV)")
            panel.tick_params(labelbottom=lead == n_leads - 1)
            self._draw_beats(panel, row_duration, left, top if lead == 0 else None)
        for panel in axes[-1, -1:]:
            panel.set_xlabel("time (s)")
        self.ax_.set_title(self._title(), loc="right", fontsize="small")
        return self

    def _lanes(self) -> list[tuple[str, Any]]:
        """List the lines of letters from the top."""
        lanes = [("annotated", self.labels), ("predicted", self.predicted)]
        lanes = [(name, values) for name, values in lanes if values is not None]
        return lanes or ([] if self.r_peaks is None else [("beats", None)])

    def _range(self, lead: int) -> tuple[float, float, float]:
        """Return the lowest mV of a lead's strip, the highest of its signal, and its top."""
        signal = self.signal[lead][np.isfinite(self.signal[lead])]
        low, high = bold_range(signal)
        lanes = self._lanes() if lead == 0 else []
        return low, high, high + _LANE * len(lanes) + (0.2 if lanes else 0.0)

    def _draw_beats(
        self, panel: Axes, row_duration: float, left: float, top: float | None
    ) -> None:
        """Mark the beats in one panel; their letters go where there is a `top`."""
        if self.r_peaks is None:
            return
        time = self.start + np.asarray(self.r_peaks) / self.fs
        here = np.flatnonzero((time >= left) & (time < left + row_duration))
        differs = self.differs
        for beat in here[differs[here]]:
            panel.axvspan(
                max(left, time[beat] - _MARK),
                min(left + row_duration, time[beat] + _MARK),
                facecolor=COLORS["orange"],
                edgecolor=COLORS["vermilion"],
                alpha=0.35,
                hatch="///",
                lw=0,
            )
        if top is None:
            return
        for number, (name, values) in enumerate(self._lanes()):
            height = top - (number + 0.5) * _LANE
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
            if values is None:
                marks: dict[str, Any] = {
                    "color": COLORS["blue"],
                    "ls": "",
                    "marker": "v",
                    "ms": 4,
                }
                panel.plot(time[here], np.full(len(here), height), **marks)
                continue
            texts = self.label_texts_ if name == "annotated" else self.predicted_texts_
            for beat in here:
                wrong = name == "predicted" and differs[beat]
                texts.append(
                    panel.text(
                        time[beat],
                        height,
                        str(values[beat]),
                        ha="center",
                        va="center",
                        fontsize=8,
                        color="white" if wrong else COLORS["black"],
                        weight="bold" if wrong else "normal",
                        bbox=_ERROR_BOX if wrong else None,
                    )
                )

    def _title(self) -> str:
        title = f"{MM_PER_S:g} mm/s, {MM_PER_MV:g} mm/mV"
        if self.labels is None or self.predicted is None:
            return title
        n_wrong, n_beats = int(self.differs.sum()), len(self.differs)
        return f"{n_wrong} of {n_beats} predictions differ; {title}"


_ERROR_BOX = {"boxstyle": "square,pad=0.2", "facecolor": "#A03000", "edgecolor": "none"}


def _checked_beats(
    r_peaks: ArrayLike | None, fields: dict[str, ArrayLike | None]
) -> dict[str, Any] | None:
    """Return the fields of the beats that are given, one entry for each beat."""
    given = {name: np.asarray(values) for name, values in fields.items() if values is not None}
    if r_peaks is None:
        if given:
            raise ValueError(f"{' and '.join(given)} came without r_peaks: say where they are.")
        return None
    positions = np.asarray(r_peaks)
    for name, values in given.items():
        if values.shape != positions.shape or positions.ndim != 1:
            raise ValueError(
                f"{name} has the shape {values.shape} and r_peaks {positions.shape}; expected "
                "one entry for each beat."
            )
        if pd.isna(values).any():
            raise ValueError(f"{name} holds missing values: leave those beats out.")
    return {"r_peaks": positions, **given}
