"""Beats per second in training and prediction on a CUDA device.

python -m benchmarks.speed.cuda
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import torch

from benchmarks.common.provenance import write_results
from ecgclf import ECGCNNClassifier, ECGResNetClassifier
from ecgclf.estimators import BeatEstimator

NETWORKS: dict[str, type[BeatEstimator]] = {
    "ECGCNNClassifier": ECGCNNClassifier,
    "ECGResNetClassifier": ECGResNetClassifier,
}
BATCH_SIZES = (256, 1024, 4096)


def seconds(act: Callable[[], Any], repeats: int) -> float:
    """Measure the median wall-clock time of a call in s."""
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
            f"torch {torch.__version__} finds no CUDA device. Run this on a machine with a CUDA "
            "device and a CUDA build of torch."
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
