"""ECG paper: its lines, its scale, a figure of its size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: The scale of ECG paper: 25 mm for a second, 10 mm for a millivolt.
MM_PER_S, MM_PER_MV = 25.0, 10.0
_MM_PER_INCH = 25.4

#: Fine and bold lines of the paper, 1 and 5 mm apart: in seconds and in mV.
_FINE, _BOLD = (0.04, 0.1), (0.2, 0.5)
_PAPER: tuple[tuple[Literal["minor", "major"], str, float], ...] = (
    ("minor", "#F6D5D5", 0.4),
    ("major", "#E3A0A0", 0.7),
)

#: Left, right, top and bottom margin, gap between leads and between rows, in mm.
_LEFT, _RIGHT, _TOP, _BOTTOM, _BETWEEN_LEADS, _BETWEEN_ROWS = 24.0, 5.0, 9.0, 12.0, 4.0, 8.0

#: Seconds in a row. More has too many lines of the paper, and no screen shows it.
LONGEST_ROW = 30.0

#: Most mV in a row. No heart makes a tenth of it.
HIGHEST_ROW = 50.0


def bold_range(signal: np.ndarray) -> tuple[float, float]:
    """Return the bold lines of the paper, in mV, between which a signal lies."""
    bold = _BOLD[1]
    low, high = (signal.min(), signal.max()) if signal.size else (0.0, 0.0)
    low, high = np.floor(low / bold) * bold, np.ceil(high / bold) * bold
    return (low, high) if low < high else (low - bold, high + bold)


def true_size(
    plt: Any, n_rows: int, ranges: list[tuple[float, float, float]], row_duration: float
) -> np.ndarray:
    """Make a figure whose paper has the size of ECG paper."""
    heights = [(top - low) * MM_PER_MV for low, _, top in ranges]
    row_height = sum(heights) + _BETWEEN_LEADS * (len(heights) - 1)
    width = _LEFT + row_duration * MM_PER_S + _RIGHT
    height = _TOP + n_rows * row_height + (n_rows - 1) * _BETWEEN_ROWS + _BOTTOM
    figure: Figure = plt.figure(figsize=(width / _MM_PER_INCH, height / _MM_PER_INCH))
    axes = np.empty((n_rows, len(heights)), dtype=object)
    for row, lead in np.ndindex(*axes.shape):
        above = row * (row_height + _BETWEEN_ROWS) + sum(heights[:lead]) + lead * _BETWEEN_LEADS
        bottom = height - _TOP - above - heights[lead]
        box = (_LEFT, bottom, row_duration * MM_PER_S, heights[lead])
        axes[row, lead] = figure.add_axes(
            tuple(np.asarray(box) / np.asarray([width, height, width, height]))
        )
    return axes


def draw_paper(
    panel: Axes, times: tuple[float, float], range_mv: tuple[float, float], signal_top: float
) -> None:
    """Draw the lines of the paper, and name every second and every 0.5 mV of the signal."""
    panel.set(xlim=times, ylim=range_mv, aspect=MM_PER_MV / MM_PER_S)
    for axis, fine, bold in zip((panel.xaxis, panel.yaxis), _FINE, _BOLD):
        low, high = times if axis is panel.xaxis else range_mv
        for spacing, minor in ((fine, True), (bold, False)):
            steps = np.arange(np.ceil(low / spacing - 1e-6), np.floor(high / spacing + 1e-6) + 1)
            axis.set_ticks(steps * spacing, minor=minor)
    # Labels only at whole seconds: five a second would run into each other.
    panel.xaxis.set_major_formatter(lambda t, _: f"{t:g}" if abs(t - round(t)) < 1e-6 else "")
    panel.yaxis.set_major_formatter(lambda v, _: f"{v:g}" if v <= signal_top + 1e-6 else "")
    for which, color, width in _PAPER:
        panel.grid(which=which, color=color, lw=width)
    panel.tick_params(which="both", length=0, labelsize=7)
    panel.set_axisbelow(True)
