"""The beats that benchmarks train on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from sklearn.model_selection import train_test_split

from ecgclf.datasets import Beats, get_data_home

_SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


def find_records(given: Path | None) -> Path:
    """Return the folder of the MIT-BIH records."""
    places = [given] if given else [get_data_home() / "mitdb", _SHARED / "mitdb"]
    for place in places:
        if (place / "100.dat").exists():
            return place
    raise SystemExit(
        f"No MIT-BIH records in {', '.join(map(str, places))}: name their folder with --data, or "
        "download them with ecgclf.datasets.fetch_mitbih()."
    )


def part_of(beats: Beats, fraction: float, seed: int) -> Beats:
    """Take a part of the beats in which every class keeps its share."""
    if fraction == 1.0:
        return beats
    return divide(beats, fraction, seed)[0]


def divide(beats: Beats, fraction: float, seed: int) -> tuple[Beats, Beats]:
    """Divide beats into such a part and the rest. Beats of a patient may come into both."""
    parts = train_test_split(
        np.arange(len(beats.data)), train_size=fraction, stratify=beats.target, random_state=seed
    )
    part, rest = (beats.select(np.sort(rows)) for rows in parts)
    return part, rest
