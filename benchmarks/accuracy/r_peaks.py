"""Detected R peaks compared with the annotated beats of all MIT-BIH records.

A detected peak is correct if it lies within 150 ms of an annotated beat.
`wfdb.processing.compare_annotations` matches each beat with at most one peak. All annotated beats
count, including those of the first minutes, in which the detector adapts. The flutter waves of
record 207 are not annotated as beats, so peaks found there count as wrong.

    python -m benchmarks.accuracy.r_peaks
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pandas as pd
import wfdb
from tqdm.auto import tqdm
from wfdb.processing import compare_annotations

from benchmarks.common.arguments import make_parser
from benchmarks.common.data import find_records
from benchmarks.common.provenance import write_results
from ecgclf.datasets import AAMI_OF_SYMBOL, MITBIH_RECORDS, detect_r_peaks

#: Match window of ANSI/AAMI EC57 in s.
TOLERANCE = 0.15


def compare(folder: Path, name: str) -> dict:
    """Compare the detected with the annotated beats of one record."""
    record = wfdb.rdrecord(str(folder / name))
    annotation = wfdb.rdann(str(folder / name), "atr")
    is_beat = np.array([symbol in AAMI_OF_SYMBOL for symbol in annotation.symbol])
    beats = annotation.sample[is_beat]
    lead = record.sig_name.index("MLII") if "MLII" in record.sig_name else 0
    peaks = detect_r_peaks(record.p_signal[:, lead], record.fs)
    # Distances must be smaller than the window.
    found = compare_annotations(beats, peaks, round(TOLERANCE * record.fs) + 1)
    distance = np.abs(found.matched_test_sample - found.matched_ref_sample)
    return {
        "record": name,
        "lead": record.sig_name[lead],
        "beats": len(beats),
        "found": int(found.tp),
        "missed": int(found.fn),
        "wrong": int(found.fp),
        "distance_ms": round(1000 * float(distance.mean()) / record.fs, 2),
    }


def main() -> None:
    """Run the benchmark."""
    options = make_parser(__doc__, output="r-peaks").parse_args()
    started = time.time()
    folder = find_records(options.data)
    rows = [compare(folder, name) for name in tqdm(MITBIH_RECORDS, unit="record", disable=None)]
    table = pd.DataFrame(rows).set_index("record")
    print(table.to_string(float_format="{:.1f}".format))
    gross = table[["beats", "found", "missed", "wrong"]].sum()
    print(
        f"\nall: sensitivity {gross['found'] / gross['beats']:.4f}, positive predictivity "
        f"{gross['found'] / (gross['found'] + gross['wrong']):.4f}"
    )
    # The detector is deterministic.
    file = write_results(options.output, rows, seed=0, started=started)
    print(f"Written to {file}.")


if __name__ == "__main__":
    main()
