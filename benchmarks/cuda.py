"""Beats a second in training and prediction on a CUDA device.

python benchmarks/cuda.py
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import torch
from _results import write_results

from ecgclf import ECGCNNClassifier, ECGResNetClassifier
from ecgclf.estimators import BeatEstimator

NETWORKS: dict[str, type[BeatEstimator]] = {
    "ECGCNNClassifier": ECGCNNClassifier,
    "ECGResNetClassifier": ECGResNetClassifier,
}
BATCH_SIZES = (256, 1024, 4096)


def seconds(act: Callable[[], Any], repeats: int) -> float:
    """Median of the wall clock; results come back to the CPU, so nothing is left to wait for."""
    act()
    taken = []
    for _ in range(repeats):
        torch.cuda.synchronize()
        start = time.perf_counter()
        act()
        torch.cuda.synchronize()
        taken.append(time.perf_counter() - start)
    return float(np.median(taken))


def main() -> None:
    """Measure all networks and batch sizes, in full and in mixed precision."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--beats", type=int, default=200_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if not torch.cuda.is_available():
        raise SystemExit(
            f"torch {torch.__version__} sees no CUDA device here: run this on a machine that has "
            "one, with a CUDA build of torch."
        )
    started = time.time()
    rng = np.random.default_rng(options.seed)
    X = rng.normal(size=(options.beats, 187)).astype(np.float32)
    y = rng.choice(list("NSVFQ"), size=options.beats)
    rows = []
    for name, kind in NETWORKS.items():
        for batch_size in BATCH_SIZES:
            for amp in (False, True):
                model = kind(
                    max_epochs=1,
                    batch_size=batch_size,
                    amp=amp,
                    device="cuda",
                    random_state=options.seed,
                    verbose=0,
                )
                training = seconds(lambda m=model: m.fit(X, y), options.repeats)
                prediction = seconds(lambda m=model: m.predict(X), options.repeats)
                rows.append(
                    {
                        "network": name,
                        "batch_size": batch_size,
                        "amp": amp,
                        "beats_per_s_training": round(options.beats / training),
                        "beats_per_s_prediction": round(options.beats / prediction),
                    }
                )
                print(rows[-1], flush=True)
    print(pd.DataFrame(rows).to_string(index=False))
    file = write_results("cuda", rows, seed=options.seed, started=started)
    print(f"Written to {file}.")


if __name__ == "__main__":
    main()
