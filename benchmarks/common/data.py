"""Beats and files that the benchmarks use."""

from __future__ import annotations

import argparse
from functools import cache
from pathlib import Path

import numpy as np
from sklearn.model_selection import train_test_split

from ecgclf.datasets import Beats, get_data_home, load_kaggle_heartbeat

_BENCHMARKS = Path(__file__).resolve().parents[1]
_SHARED = _BENCHMARKS.parents[1] / "shared" / "data"

#: Directory of cached runs and generated files. Not under version control.
RUNS = _BENCHMARKS / ".runs"


def find_records(given: Path | None) -> Path:
    """Return the folder of the MIT-BIH records."""
    places = [given] if given else [get_data_home() / "mitdb", _SHARED / "mitdb"]
    for place in places:
        if (place / "100.dat").exists():
            return place
    raise SystemExit(
        f"No MIT-BIH records in {', '.join(map(str, places))}. Pass their folder as --data, or "
        "download them with ecgclf.datasets.fetch_mitbih()."
    )


@cache
def load_kaggle(records: Path, subset: str) -> Beats:
    """Load the rows of the Kaggle set, once per process."""
    return load_kaggle_heartbeat(records, subset)


def part_of(beats: Beats, fraction: float, seed: int) -> Beats:
    """Draw a stratified part of the beats."""
    if fraction == 1.0:
        return beats
    return divide(beats, fraction, seed)[0]


def divide(beats: Beats, fraction: float, seed: int) -> tuple[Beats, Beats]:
    """Split beats into a stratified part and the rest, ignoring patients."""
    parts = train_test_split(
        np.arange(len(beats.data)), train_size=fraction, stratify=beats.target, random_state=seed
    )
    part, rest = (beats.select(np.sort(rows)) for rows in parts)
    return part, rest


def some_beats(options: argparse.Namespace, n_beats: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw rows of the Kaggle test set in random order.

    Rows repeat if `n_beats` exceeds their number; noise then makes them different.
    """
    beats = load_kaggle(find_records(options.data), "test")
    rng = np.random.default_rng(options.seed)
    order = rng.permutation(len(beats.data))
    rows = np.resize(order, n_beats)
    X = beats.data[rows]
    if n_beats > len(order):
        X += rng.normal(scale=0.01, size=(1, 187)).astype(np.float32)
        X += rng.normal(scale=0.01, size=(n_beats, 1)).astype(np.float32)
    return X, beats.target[rows]


def kaggle_csv(options: argparse.Namespace) -> Path:
    """Write the Kaggle test rows as the published CSV file and return its folder.

    The file is kept for later runs.
    """
    folder = RUNS / "csv"
    file = folder / "mitbih_test.csv"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        beats = load_kaggle(find_records(options.data), "test")
        codes = np.searchsorted(["F", "N", "Q", "S", "V"], beats.target)
        label = np.array([3, 0, 4, 1, 2])[codes]
        table = np.column_stack([beats.data, label])
        unfinished = file.with_suffix(".part")
        np.savetxt(unfinished, table, fmt="%.18e", delimiter=",")
        unfinished.rename(file)
    return folder
