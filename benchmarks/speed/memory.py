"""Peak memory and CPU time of `fit` and `predict_proba` for data of different size and storage.

Each measurement runs in its own process, on Linux only. The beats are noise of 187 samples.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from ecgclf import ECGCNNClassifier

_ROOT = Path(__file__).resolve().parents[2]

#: Number of samples of a beat.
N_SAMPLES = 187

#: Memory allowed in MB besides 1.3 times the beats.
ALLOWANCE = 600

#: Storage of the beats, and their data type.
STORAGE = {
    "in memory, float32": "float32",
    "in memory, float64": "float64",
    "memory map, float32": "float32",
    "memory map, float64": "float64",
    "Zarr, float32": "float32",
}


def memory(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Compare the peak memory of training and prediction with the allowed memory."""
    for n_beats in options.sizes:
        took = run_default(n_beats)
        allowed = 1.3 * took["X"] + ALLOWANCE
        yield {
            "what": f"peak memory of fit and predict, {n_beats:,} beats ({took['X']:,.0f} MB)",
            "against": f"1.3 times the beats and {ALLOWANCE} MB",
            "cpu": round(took["peak"] / allowed, 3),
            "peak_mb": round(took["peak"]),
            "reach": 1.0,
        }


def size(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Compare the CPU time per beat in sets of several sizes with that in the smallest."""
    took = {n_beats: run_default(n_beats) for n_beats in options.sizes}
    fewest = min(took)
    for n_beats in options.sizes:
        for what in ("fit", "predict"):
            a_beat, least = (took[n][what] / n for n in (n_beats, fewest))
            yield {
                "what": f"{what}, CPU time a beat, {n_beats:,} beats",
                "against": f"{fewest:,} beats",
                "cpu": round(a_beat / least, 3),
                "seconds": round(took[n_beats][what], 2),
                "reach": 1.1,
            }


def storage(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Measure the private memory of a small network's `fit` for each way to store the beats.

    A tenth of the beats is held out for early stopping, which must not copy them. "beyond X" is
    the peak of the private memory minus that of the imported packages, and minus X itself if it
    is in memory. Pages of mapped files, which the system can reclaim, are not counted.
    """
    for times in options.times:
        with tempfile.TemporaryDirectory() as folder:
            for dtype in ("float32", "float64"):
                write_beats(Path(folder), times * options.stored_beats, dtype)
            for way in STORAGE:
                took = _run_process("stored", folder, way)
                yield {"X": way, "size": f"{times}x", **took}


def write_beats(folder: Path, n_beats: int, dtype: str) -> None:
    """Write noise as a .npy file, and float32 also as a Zarr array."""
    rng = np.random.default_rng(0)
    X = np.lib.format.open_memmap(
        folder / f"{dtype}.npy", "w+", np.dtype(dtype), (n_beats, N_SAMPLES)
    )
    for part in np.array_split(np.arange(n_beats), 100):
        X[part[0] : part[-1] + 1] = rng.normal(size=(len(part), N_SAMPLES))
    X.flush()
    if dtype == "float32":
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


def open_beats(folder: Path, way: str) -> Any:
    """Open stored beats."""
    dtype = STORAGE[way]
    if way.startswith("Zarr"):
        import zarr

        return zarr.open(str(folder / f"{dtype}.zarr"), mode="r")
    mode = "r" if way.startswith("memory map") else None
    return np.load(folder / f"{dtype}.npy", mmap_mode=mode)


def memory_of(field: str) -> float:
    """Read a field of the memory status of this process in MB (1e6 bytes).

    ``VmHWM`` is the peak of the resident memory, which includes pages of mapped files. The system
    can reclaim these. ``RssAnon`` is the current private memory. On Linux a process inherits
    ``ru_maxrss`` from its parent, so it is not used.
    """
    status = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return int(next(line for line in status if line.startswith(field)).split()[1]) * 1024 / 1e6


@contextmanager
def private_memory() -> Iterator[list[float]]:
    """Sample the private memory of this process in MB every 2 ms."""
    samples, ended = [memory_of("RssAnon")], threading.Event()

    def sample() -> None:
        while not ended.wait(0.002):
            samples.append(memory_of("RssAnon"))

    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        yield samples
    finally:
        ended.set()
        thread.join()


def measure_default(n_beats: int) -> dict[str, float]:
    """Fit the default network and predict in this process. Memory is in MiB, time in s."""
    rng = np.random.default_rng(0)
    few = rng.normal(size=(1000, N_SAMPLES)).astype(np.float32)
    y = np.resize(np.array(list("NSVFQ")), n_beats)
    X = np.empty((n_beats, N_SAMPLES), dtype=np.float32)
    for start in range(0, n_beats, 1000):
        X[start : start + 1000] = few[: n_beats - start] + rng.normal(scale=0.1)
    model = ECGCNNClassifier(max_epochs=1, verbose=0, random_state=0)
    start = time.process_time()
    model.fit(X, y)
    fitted = time.process_time()
    model.predict_proba(X)
    return {
        "fit": fitted - start,
        "predict": time.process_time() - fitted,
        "peak": memory_of("VmHWM") * 1e6 / 2**20,
        "X": X.nbytes / 2**20,
    }


def measure_stored(folder: Path, way: str) -> dict[str, Any]:
    """Fit a small network on stored beats in this process."""
    model = ECGCNNClassifier(
        filters=(4,), stride=8, max_epochs=1, batch_size=1024, verbose=0, random_state=0
    )
    rng = np.random.default_rng(0)
    few = rng.normal(size=(100, N_SAMPLES)), np.arange(100) % 5
    model.fit(*few)  # loads all packages
    before = memory_of("RssAnon")
    X = open_beats(folder, way)
    y = np.array(list("FNQSV"))[rng.integers(0, 5, X.shape[0])]
    started = time.perf_counter()
    with private_memory() as samples:
        model.set_params(early_stopping=True).fit(X, y)
    seconds = time.perf_counter() - started
    size = X.shape[0] * X.shape[1] * np.dtype(X.dtype).itemsize / 1e6
    in_memory = size if way.startswith("in memory") else 0
    return {
        "beats": X.shape[0],
        "x_mb": round(size, 1),
        "peak_mb": round(max(samples), 1),
        "beyond_x_mb": round(max(samples) - before - in_memory, 1),
        "seconds": round(seconds, 1),
    }


@cache
def run_default(n_beats: int) -> dict[str, float]:
    """Run `measure_default` in a new process."""
    return _run_process("default", str(n_beats))


def _run_process(*arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.speed.memory", *arguments]
    done = subprocess.run(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


if __name__ == "__main__":
    if sys.argv[1] == "default":
        print(json.dumps(measure_default(int(sys.argv[2]))))
    else:
        print(json.dumps(measure_stored(Path(sys.argv[2]), sys.argv[3])))
