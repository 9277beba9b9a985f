"""Reading of records and CSV files compared with wfdb and pandas."""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
import wfdb

from benchmarks.common.data import find_records, kaggle_csv
from benchmarks.common.timing import compare, rows_of
from ecgclf.datasets import MITBIH_RECORDS, load_kaggle_heartbeat, load_mitbih

#: AAMI classes of beat symbols, as scripts define them.
CLASS_OF = {
    **dict.fromkeys("NLRej", "N"),
    **dict.fromkeys("AaJS", "S"),
    **dict.fromkeys("VE", "V"),
    "F": "F",
    **dict.fromkeys("/fQ", "Q"),
}
BEFORE, AFTER = 90, 162


def with_a_loop(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read records with wfdb and segment them beat by beat, as typical scripts do."""
    beats, labels = [], []
    for name in MITBIH_RECORDS:
        record = wfdb.rdrecord(str(folder / name))
        annotation = wfdb.rdann(str(folder / name), "atr")
        lead = record.sig_name.index("MLII") if "MLII" in record.sig_name else 0
        signal = record.p_signal[:, lead]
        for position, symbol in zip(annotation.sample, annotation.symbol):
            if symbol not in CLASS_OF:
                continue
            if position < BEFORE or position + AFTER > len(signal):
                continue
            beats.append(signal[position - BEFORE : position + AFTER])
            labels.append(CLASS_OF[symbol])
    return np.array(beats, dtype=np.float32), np.array(labels)


def with_pandas(file: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read a CSV file of the Kaggle set with pandas."""
    table = pd.read_csv(file, header=None).to_numpy()
    return table[:, :-1].astype(np.float32), table[:, -1].astype(int)


def records(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Read all 48 MIT-BIH records and segment them into beats."""
    folder = find_records(options.data)
    X, y = with_a_loop(folder)
    # The script drops beats at the ends of a record, which `load_mitbih` keeps.
    ours = load_mitbih(folder)
    inside = np.isin(ours.data[:, BEFORE], X[:, BEFORE])
    assert len(X) <= len(ours.data) <= len(X) + 2 * len(MITBIH_RECORDS)
    assert inside.mean() > 0.999
    assert abs(np.mean(y == "V") - np.mean(ours.target == "V")) < 1e-3
    against = "wfdb and a loop"
    summary = compare(
        lambda: load_mitbih(folder), {against: lambda: with_a_loop(folder)}, options.repeats
    )
    what = "48 MIT-BIH records, read and cut, with rhythm features"
    yield from rows_of(what, summary, {against: 0.35})


def csv(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Read the Kaggle test set from its CSV file, for the first time and again."""
    folder = kaggle_csv(options)
    file = folder / "mitbih_test.csv"

    def again() -> np.ndarray:
        return load_kaggle_heartbeat(folder, "test").data

    def first() -> np.ndarray:
        os.utime(file)  # invalidates the cache
        return again()

    X, _ = with_pandas(file)
    against = "pandas.read_csv"
    others = {against: lambda: with_pandas(file)}
    with tempfile.TemporaryDirectory() as cache, patch.dict(os.environ, XDG_CACHE_HOME=cache):
        for what, ours in {"": first, ", again": again}.items():
            np.testing.assert_array_equal(ours(), X)
            yield from rows_of(
                f"Kaggle test set from CSV{what}",
                compare(ours, others, options.repeats),
                {against: 0.5},
            )
