"""Speed and memory compared with what a user would write without the library.

Speeds are ratios of timings taken in turn, as medians of several. The CPU time counts unless
noted otherwise, because it depends less on other processes. Each part writes one result file.

    python -m benchmarks.speed --only training prediction
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any

import pandas as pd
import torch

from benchmarks.common.arguments import fraction, make_parser
from benchmarks.common.provenance import write_results
from benchmarks.speed.front import draw_front, front
from benchmarks.speed.memory import memory, size, storage
from benchmarks.speed.networks import floor, prediction, training
from benchmarks.speed.processes import grid, imports
from benchmarks.speed.reading import csv, records
from benchmarks.speed.transforms import transforms
from benchmarks.speed.twelve_leads import twelve_leads

#: Parts by the names that ``--only`` takes. A part writes ``<output>-<name>.json``.
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
    "storage": storage,
    "front": front,
    "twelve-leads": twelve_leads,
}

#: Optional packages that the part "front" compares with.
OPTIONAL = [package for package in ("aeon",) if find_spec(package)]


def main() -> None:
    """Measure the selected parts."""
    parser = make_parser(__doc__, output="speed")
    parser.add_argument("--only", nargs="*", choices=PARTS, default=list(PARTS), metavar="PART")
    parser.add_argument("--repeats", type=int, default=5, help="number of timings of each")
    parser.add_argument("--beats", type=int, default=4096, help="number of training beats")
    parser.add_argument("--epochs", type=int, default=2, help="epochs of each training")
    parser.add_argument(
        "--predictions", type=int, default=100_000, help="number of beats to predict"
    )
    parser.add_argument(
        "--sizes",
        type=int,
        nargs="*",
        default=(10_000, 100_000, 1_000_000),
        help="numbers of beats for the parts memory and size",
    )
    parser.add_argument(
        "--stored-beats", type=int, default=80_000, help="number of beats of the part storage"
    )
    parser.add_argument(
        "--times", type=int, nargs="+", default=[1, 8], help="multiples of --stored-beats"
    )
    parser.add_argument(
        "--fraction", type=fraction, default=1.0, help="share of the rows for the part front"
    )
    parser.add_argument(
        "--minutes", type=float, default=10.0, help="CPU time per run of the part front"
    )
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)  # for all that is compared
    for name in options.only:
        started = time.time()
        rows = []
        for row in PARTS[name](options):
            rows.append(row)
            print(line(row), flush=True)
            file = write_results(
                f"{options.output}-{name}",
                rows,
                seed=options.seed,
                started=started,
                packages=OPTIONAL,
            )
        print(f"Written to {file}.\n")
        if name == "front" and options.output == "speed":
            draw_front(rows)
        print(pd.DataFrame(rows).to_string(index=False), "\n")


def line(row: dict[str, Any]) -> str:
    """Format a row for the terminal."""
    if "accuracy" in row:
        return f"{row['minutes']:7.2f} min  {row['accuracy']:.4f}  {row['what']}"
    if "microseconds" in row:
        return f"{row['microseconds']:7.1f} us a beat  {row['what']}"
    if "peak_mb" in row and "X" in row:
        return f"{row['beyond_x_mb']:7.1f} MB beyond X  {row['X']}, {row['size']}"
    reach = "" if row["reach"] is None else f"(target: {row['reach']})"
    return f"{row['cpu']:6.3f} x  {row['what']} | {row['against']} {reach}"


if __name__ == "__main__":
    main()
