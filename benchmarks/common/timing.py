"""Ratios of timings taken in turn.

A single timing depends on what else the machine does. The ratio of two timings taken one after
the other depends on it less, and the median of several such ratios still less.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np


def clocks() -> tuple[float, float]:
    """Read the wall clock and the CPU time of this process and its ended children, in s."""
    times = os.times()
    children = times.children_user + times.children_system
    return time.perf_counter(), time.process_time() + children


def timed(act: Callable[[], Any]) -> tuple[float, float]:
    """Measure wall and CPU time of one call in s."""
    wall, cpu = clocks()
    act()
    wall_after, cpu_after = clocks()
    return wall_after - wall, cpu_after - cpu


def compare(
    ours: Callable[[], Any], others: Mapping[str, Callable[[], Any]], repeats: int
) -> dict[str, dict[str, float]]:
    """Time `ours` and each of `others` in turn.

    Parameters
    ----------
    ours : callable without arguments
        The call to compare.
    others : dict of str to callable without arguments
        What it is compared with.
    repeats : int
        Number of rounds.

    Returns
    -------
    dict of str to dict
        For each of `others`: the median ratios of ours to the other, ``cpu`` and ``wall``; the
        ``lowest`` and ``highest`` CPU ratio; and the CPU time of each in s, ``seconds`` and
        ``seconds_other``.
    """
    acts = {"": ours, **others}
    for act in acts.values():
        act()  # fills caches and runs lazy imports
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
    """Make the rows of a table from the result of `compare` and the target ratios."""
    return [
        {"what": what, "against": name, **figures, "reach": reach.get(name)}
        for name, figures in summary.items()
    ]
