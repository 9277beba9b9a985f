"""The beats and files that timings are taken on."""

from __future__ import annotations

import argparse
from functools import cache
from pathlib import Path

import numpy as np
from _data import find_records

from ecgclf.datasets import Beats, load_kaggle_heartbeat

_RUNS = Path(__file__).parent / ".runs"


@cache
def kaggle(records: Path, subset: str) -> Beats:
    """Read the rows of the Kaggle set."""
    return load_kaggle_heartbeat(records, subset)


def some_beats(options: argparse.Namespace, n_beats: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw rows of the Kaggle test set in random order; with noise, where rows occur twice."""
    beats = kaggle(find_records(options.data), "test")
    rng = np.random.default_rng(options.seed)
    order = rng.permutation(len(beats.data))
    rows = np.resize(order, n_beats)
    X = beats.data[rows]
    if n_beats > len(order):
        X += rng.normal(scale=0.01, size=(1, 187)).astype(np.float32)
        X += rng.normal(scale=0.01, size=(n_beats, 1)).astype(np.float32)
    return X, beats.target[rows]


def kaggle_csv(options: argparse.Namespace) -> Path:
    """Write the test rows as the CSV that was published, once; return its folder."""
    folder = _RUNS / "csv"
    file = folder / "mitbih_test.csv"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        beats = kaggle(find_records(options.data), "test")
        codes = np.searchsorted(["F", "N", "Q", "S", "V"], beats.target)
        label = np.array([3, 0, 4, 1, 2])[codes]
        table = np.column_stack([beats.data, label])
        unfinished = file.with_suffix(".part")
        np.savetxt(unfinished, table, fmt="%.18e", delimiter=",")
        unfinished.rename(file)
    return folder
