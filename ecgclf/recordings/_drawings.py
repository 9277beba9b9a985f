"""Paths of the pictures in a report, as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

#: Speed and gain of ECG paper, in mm/s and mm/mV.
SPEED, GAIN = 25.0, 10.0

#: Vertical units of a trace per mV. Whole numbers make short paths.
TRACE_UNITS = 500

#: Largest deflection from the median that a lead is drawn with, in mV.
_CLIP = 2.5

#: Size of the picture of a trend.
TREND_SIZE = {"width": 645.0, "rate_height": 150.0, "bar_height": 42.0}

#: Most parts that a recording is divided into in a trend, and their lengths in s.
_N_BINS = 360
_BINS = (10, 20, 30, 60, 120, 300, 600, 900, 1800, 3600)

#: Limits and cells of the RR histogram and the Poincaré plot in s, and their size.
_RR_LIMITS = (0.2, 2.0)
_HISTOGRAM_CELL, _POINCARE_CELL = 0.02, 0.03
_RR_SIZE = 240


def trace_path(values: NDArray[np.floating]) -> str:
    """Draw a lead: one unit a sample to the right, ``TRACE_UNITS`` per mV upwards."""
    level = -np.rint(np.nan_to_num(values) * TRACE_UNITS).astype(np.int64)
    edges = np.flatnonzero(np.diff(np.isfinite(values), prepend=False, append=False))
    return "".join(
        f"M{start} {level[start]}l" + " ".join(f"1 {step}" for step in np.diff(level[start:stop]))
        for start, stop in edges.reshape(-1, 2)
        if stop - start > 1
    )


def band_path(low: NDArray[np.floating], high: NDArray[np.floating]) -> str:
    """Draw the area between two leads in the units of `trace_path`."""
    x = np.concatenate([np.arange(len(low)), np.arange(len(low))[::-1]])
    y = -np.rint(np.concatenate([low, high[::-1]]) * TRACE_UNITS).astype(np.int64)
    return f"M{' '.join(f'{at} {level}' for at, level in zip(x, y))}Z"


def stack_leads(
    signal: NDArray[np.floating], names: Sequence[str], top: float
) -> tuple[list[dict[str, Any]], float]:
    """Place leads below each other on ECG paper, and return them with its height in mm."""
    traces = []
    for name, lead in zip(names, signal):
        known = lead[np.isfinite(lead)]
        centred = (lead - (np.median(known) if len(known) else 0.0)).clip(-_CLIP, _CLIP)
        above = max(np.nanmax(centred, initial=0.5), 0.5) * GAIN
        below = max(-np.nanmin(centred, initial=-0.5), 0.5) * GAIN
        baseline = float(top + 2 + above)
        traces.append(
            {"name": name, "y": baseline, "label_y": top + 2, "path": trace_path(centred)}
        )
        top += 4 + above + below
    return traces, float(np.ceil(top / 5) * 5)


def draw_trend(
    beats: pd.DataFrame, rr: pd.DataFrame, begin: float, end: float, classes: Sequence[str]
) -> dict[str, Any]:
    """Draw mean and band of the heart rate, and of each class a path and the highest count."""
    seconds = next((s for s in _BINS if (end - begin) / s <= _N_BINS), _BINS[-1])
    n_bins = int(np.ceil((end - begin) / seconds))
    scale = TREND_SIZE["width"] * seconds / (end - begin)

    def place(time: ArrayLike) -> NDArray[np.int64]:
        return ((np.asarray(time) - begin) / seconds).astype(np.int64)

    ends = place(beats["time"].to_numpy()[rr["first"] + 1])
    grouped = rr["rr_s"].groupby(ends)
    enough = (grouped.sum() > seconds / 4).reindex(range(n_bins), fill_value=False)
    figures = pd.DataFrame(
        {"mean": grouped.mean(), "low": grouped.quantile(0.9), "high": grouped.quantile(0.1)}
    ).reindex(range(n_bins))
    rates = 60 / figures.where(enough)
    known_rates = rates.to_numpy()[np.isfinite(rates)]
    low = int(np.floor(np.min(known_rates, initial=60.0) / 20) * 20)
    high = int(np.ceil(np.max(known_rates, initial=100.0) / 20) * 20)
    x = (np.arange(n_bins) + 0.5) * scale
    level = (high - rates) * TREND_SIZE["rate_height"] / (high - low)
    known = np.flatnonzero(np.diff(enough.to_numpy(), prepend=False, append=False))
    line, band = [], []
    for start, stop in known.reshape(-1, 2):
        at, part = x[start:stop], level.iloc[start:stop]
        line.append(_points(at, part["mean"]))
        around = np.concatenate([part["low"], part["high"][::-1]])
        band.append(_points(np.concatenate([at, at[::-1]]), around) + "Z")
    bars = {}
    for name in classes:
        count = np.bincount(place(beats.loc[beats["label"] == name, "time"]), minlength=n_bins)
        top = max(int(count.max()), 1)
        height = count * TREND_SIZE["bar_height"] / top
        drawn = [f"M{x[i]:.1f} 0v{-height[i]:.1f}" for i in count.nonzero()[0]]
        bars[name] = ("".join(drawn), int(count.max()))
    return {
        "seconds": seconds,
        "rate": "".join(line),
        "band": "".join(band),
        "low": low,
        "high": high,
        "bars": bars,
    }


def _points(x: NDArray[np.floating], y: ArrayLike) -> str:
    return "M" + " ".join(f"{a:.1f} {b:.1f}" for a, b in zip(x, np.asarray(y))) + "h.1"


def draw_rr_intervals(rr: pd.DataFrame) -> dict[str, Any]:
    """Draw the histogram of RR intervals, and a Poincaré plot with four shades of counts."""
    low, high = _RR_LIMITS
    interval = rr["rr_s"].to_numpy().clip(low, high - 1e-6)
    edges = np.arange(low, high + _HISTOGRAM_CELL / 2, _HISTOGRAM_CELL)
    count = np.histogram(interval, edges)[0]
    step, top = _RR_SIZE / len(count), int(count.max())
    bars = "".join(f"V{_RR_SIZE * (1 - n / max(top, 1)):.1f}h{step:.3f}" for n in count)
    follows = np.flatnonzero(np.diff(rr["first"]) == 1)
    edges = np.linspace(low, high, round((high - low) / _POINCARE_CELL) + 1)
    pairs = np.histogram2d(interval[follows], interval[follows + 1], bins=(edges, edges))[0]
    shade = np.floor(np.log10(np.maximum(pairs, 1))).clip(0, 3)
    cell = _RR_SIZE / (len(edges) - 1)
    cells = [
        "".join(
            f"M{i * cell:.1f} {_RR_SIZE - j * cell:.1f}h{cell:.1f}v{-cell:.1f}h{-cell:.1f}Z"
            for i, j in np.argwhere((pairs > 0) & (shade == level))
        )
        for level in range(4)
    ]
    return {
        "histogram": f"M0 {_RR_SIZE}{bars}V{_RR_SIZE}Z",
        "top": top,
        "poincare": cells,
        "limits": _RR_LIMITS,
    }
