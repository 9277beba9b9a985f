"""Time the library against what a user would write without it.

All figures are ratios of two timings taken one after the other, medians of several; CPU time
counts, since it depends less on what else a machine does. Each part writes a file of results.

    python benchmarks/speed.py --only training prediction
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from _results import write_results
from _speed_floor import floor
from _speed_front import front
from _speed_networks import prediction, training
from _speed_picture import draw_front
from _speed_processes import grid, imports, memory, size
from _speed_reading import csv, records
from _speed_transforms import transforms

#: What can be measured, by the names that ``--only`` takes.
PARTS: dict[str, Callable[[argparse.Namespace], Iterator[dict[str, Any]]]] = {
    "training": training,
    "prediction": prediction,
    "records": records,
    "csv": csv,
    "transforms": transforms,
    "floor": floor,
    "imports": imports,
    "grid": grid,
    "memory": memory,
    "size": size,
    "front": front,
}

#: What the front shows if it is installed.
OPTIONAL = [package for package in ("aeon",) if find_spec(package)]


def main() -> None:
    """Measure the parts asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", nargs="*", choices=PARTS, default=list(PARTS), metavar="PART")
    parser.add_argument("--data", type=Path, help="folder of the MIT-BIH records")
    parser.add_argument("--repeats", type=int, default=5, help="timings of each, all in turn")
    parser.add_argument("--beats", type=int, default=4096, help="to train on")
    parser.add_argument("--epochs", type=int, default=2, help="of each training")
    parser.add_argument("--predictions", type=int, default=100_000, help="beats to predict")
    sizes = (10_000, 100_000, 1_000_000)
    parser.add_argument("--sizes", type=int, nargs="*", default=sizes, help="beats, of each set")
    parser.add_argument("--fraction", type=float, default=1.0, help="of the rows, for the front")
    parser.add_argument("--minutes", type=float, default=10.0, help="of a CPU, for the front")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)  # of ours and of all others
    for name in options.only:
        started = time.time()
        rows = []
        for row in PARTS[name](options):
            rows.append(row)
            print(line(row), flush=True)
            file = write_results(
                f"speed-{name}", rows, seed=options.seed, started=started, packages=OPTIONAL
            )
        print(f"Written to {file}.\n")
        if name == "front":
            draw_front(rows)
        print(pd.DataFrame(rows).to_string(index=False), "\n")


def line(row: dict[str, Any]) -> str:
    """Write a row for the terminal."""
    if "accuracy" in row:
        return f"{row['minutes']:7.2f} min  {row['accuracy']:.4f}  {row['what']}"
    if "microseconds" in row:
        return f"{row['microseconds']:7.1f} us a beat  {row['what']}"
    reach = "" if row["reach"] is None else f"(to reach: {row['reach']})"
    return f"{row['cpu']:6.3f} x  {row['what']} | {row['against']} {reach}"


if __name__ == "__main__":
    main()
