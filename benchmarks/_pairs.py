"""Time what stands side by side: one after the other, again and again, as ratios.

Single timings on a machine with other work are worth little. A ratio of two timings that were
taken one after the other is, and the median of several such ratios is worth more.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np


def clocks() -> tuple[float, float]:
    """Seconds of the wall clock, and of the processors for this process and ended children."""
    times = os.times()
    children = times.children_user + times.children_system
    return time.perf_counter(), time.process_time() + children


def timed(act: Callable[[], Any]) -> tuple[float, float]:
    """Wall and CPU seconds of one call."""
    wall, cpu = clocks()
    act()
    wall_after, cpu_after = clocks()
    return wall_after - wall, cpu_after - cpu


def compare(
    ours: Callable[[], Any], others: Mapping[str, Callable[[], Any]], repeats: int
) -> dict[str, dict[str, float]]:
    """Time `ours` and each of `others` in turn, `repeats` times.

    Parameters
    ----------
    ours : callable without arguments
    others : dict of str to callable without arguments
    repeats : int

    Returns
    -------
    dict of str to dict
        For each of `others`: the medians of the ratios ours to other, ``cpu`` and ``wall``, the
        smallest and largest ratio, and ``seconds`` of the CPU that ours and the other took.
    """
    acts = {"": ours, **others}
    for act in acts.values():
        act()  # a first call finds cold caches and lazy imports
    times = np.array([[timed(act) for act in acts.values()] for _ in range(repeats)])
    ratios = times[:, :1] / np.maximum(times[:, 1:], 1e-9)
    summary = {}
    for i, name in enumerate(others):
        wall, cpu = np.median(ratios[:, i], axis=0)
        own, other = np.median(times[:, [0, i + 1], 1], axis=0)
        summary[name] = {
            "cpu": round(float(cpu), 3),
            "wall": round(float(wall), 3),
            "lowest": round(float(ratios[:, i, 1].min()), 3),
            "highest": round(float(ratios[:, i, 1].max()), 3),
            "seconds": float(f"{own:.4g}"),
            "seconds_other": float(f"{other:.4g}"),
        }
    return summary


def rows_of(
    what: str, summary: Mapping[str, Mapping[str, float]], reach: Mapping[str, float | None]
) -> list[dict[str, Any]]:
    """Rows of the table: what was timed, against what, the figures, and the ratio to reach."""
    return [
        {"what": what, "against": name, **figures, "reach": reach.get(name)}
        for name, figures in summary.items()
    ]
