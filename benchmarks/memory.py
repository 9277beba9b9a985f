"""Measure how much memory `fit` takes at its peak, against the size of the data.

Every measurement is a process of its own, whose peak the system tells. The beats are noise
of 187 samples and the network is small: what is measured is what the package does with the
beats. A tenth of them is held out for early stopping, which must not be a copy. "beyond X" is
the peak less the memory of the imported packages, and less X itself where that is in memory.

    python benchmarks/memory.py
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

#: Of a beat.
N_SAMPLES = 187

#: How the beats are given to `fit`, and the numbers they are kept as.
WAYS = {
    "in memory, float32": "float32",
    "in memory, float64": "float64",
    "memory map, float32": "float32",
    "memory map, float64": "float64",
    "Zarr, float32": "float32",
}


def write_beats(folder: Path, n_beats: int, dtype: str, zarr_too: bool) -> None:
    """Write noise, a hundredth at a time."""
    rng = np.random.default_rng(0)
    X = np.lib.format.open_memmap(
        folder / f"{dtype}.npy", "w+", np.dtype(dtype), (n_beats, N_SAMPLES)
    )
    for part in np.array_split(np.arange(n_beats), 100):
        X[part[0] : part[-1] + 1] = rng.normal(size=(len(part), N_SAMPLES))
    X.flush()
    if zarr_too:
        import zarr

        chunked = zarr.open(
            str(folder / f"{dtype}.zarr"),
            mode="w",
            shape=X.shape,
            chunks=(1024, N_SAMPLES),
            dtype=dtype,
        )
        for start in range(0, n_beats, 65536):
            chunked[start : start + 65536] = X[start : start + 65536]


def open_beats(folder: Path, way: str) -> object:
    """Open the beats in one of the ways."""
    dtype = WAYS[way]
    if way.startswith("Zarr"):
        import zarr

        return zarr.open(str(folder / f"{dtype}.zarr"), mode="r")
    mode = "r" if way.startswith("memory map") else None
    return np.load(folder / f"{dtype}.npy", mmap_mode=mode)


def peak() -> float:
    """Tell the most memory that this process has had so far, in MB."""
    status = Path("/proc/self/status")
    if status.exists():
        # Linux lets a process inherit the ru_maxrss of the one that started it.
        lines = status.read_text(encoding="utf-8").splitlines()
        return (
            int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) * 1024 / 1e6
        )
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def measure(folder: Path, way: str) -> dict:
    """Fit once in this process."""
    from ecgclf import ECGCNNClassifier

    model = ECGCNNClassifier(
        filters=(4,), stride=8, max_epochs=1, batch_size=1024, verbose=0, random_state=0
    )
    rng = np.random.default_rng(0)
    few = rng.normal(size=(100, N_SAMPLES)), np.arange(100) % 5
    model.fit(*few)  # all packages are loaded after this
    before = peak()
    X = open_beats(folder, way)
    y = np.array(list("FNQSV"))[rng.integers(0, 5, X.shape[0])]
    started = time.perf_counter()
    model.set_params(early_stopping=True).fit(X, y)
    seconds = time.perf_counter() - started
    size = X.shape[0] * X.shape[1] * np.dtype(X.dtype).itemsize / 1e6
    in_memory = size if way.startswith("in memory") else 0
    return {
        "X": way,
        "beats": X.shape[0],
        "x_mb": round(size, 1),
        "peak_mb": round(peak(), 1),
        "beyond_x_mb": round(peak() - before - in_memory, 1),
        "seconds": round(seconds, 1),
    }


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--beats", type=int, default=80_000, help="number of beats at 1x")
    parser.add_argument("--times", type=int, nargs="+", default=[1, 8], help="multiples of it")
    parser.add_argument("--output", default="memory", help="name of the file of results")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        folder, way = options.one
        print(json.dumps(measure(Path(folder), way)))
        return

    from _results import write_results
    from tqdm.auto import tqdm

    started = time.time()
    rows = []
    with tqdm(total=len(options.times) * len(WAYS), disable=None) as progress:
        for times in options.times:
            with tempfile.TemporaryDirectory() as folder:
                for dtype in ("float32", "float64"):
                    zarr_too = dtype == "float32"
                    write_beats(Path(folder), times * options.beats, dtype, zarr_too)
                for way in WAYS:
                    done = subprocess.run(
                        [sys.executable, __file__, "--one", folder, way],
                        capture_output=True,
                        text=True,
                        check=True,
                    )
                    rows.append({"size": f"{times}x", **json.loads(done.stdout)})
                    progress.update()
    table = pd.DataFrame(rows).sort_values(["X", "beats"])
    print(table.to_string(index=False))
    print(f"Written to {write_results(options.output, rows, seed=0, started=started)}.")


if __name__ == "__main__":
    main()
