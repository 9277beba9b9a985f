"""Compare a network in torch with its ONNX graphs of 32, 16 and 8 bits: size, speed, accuracy.

The default `ECGCNNClassifier` is trained on a part of the training rows of the Kaggle
"heartbeat" set and tested on its published test rows. Beats of the same patients are on both
sides, so the figures say what a smaller graph costs and nothing about new patients. Times are
those of one thread.

    python benchmarks/export.py --fraction 0.25 --epochs 5
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import pandas as pd
from _data import find_records, part_of
from _results import write_results
from sklearn.metrics import accuracy_score, f1_score

from ecgclf import ECGCNNClassifier
from ecgclf.datasets import Beats, load_kaggle_heartbeat
from ecgclf.export import export_onnx, halve_onnx, quantize_onnx

#: A function from beats to labels and probabilities.
Classify = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]

#: Beats that one call takes: a monitor's, and a recording's.
BATCHES = (1, 256)

#: Numbers that a graph computes with.
_GRAPHS = ("float32", "float16", "int8")


def onnx_classifier(path: Path) -> Classify:
    """Open a graph, to run on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return lambda X: tuple(session.run(None, {"X": X}))


def torch_classifier(model: ECGCNNClassifier) -> Classify:
    """Classify with the estimator itself."""

    def classify(X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        probabilities = model.predict_proba(X)
        return model.classes_[probabilities.argmax(axis=1)], probabilities

    return classify


def microseconds_a_beat(classify: Classify, X: np.ndarray, batch: int, repeats: int) -> float:
    """Take the median time of many calls, for a beat."""
    times = []
    for i in range(repeats + 3):
        start = i * batch % (len(X) - batch)
        beats = X[start : start + batch]
        began = time.perf_counter()
        classify(beats)
        times.append(time.perf_counter() - began)
    return float(np.median(times[3:])) / batch * 1e6  # the first calls set things up


def measure(
    name: str, path: Path, classify: Classify, reference: np.ndarray, test: Beats, repeats: int
) -> dict:
    """Return the row of one form of the network."""
    predicted, probabilities = classify(test.data)
    return {
        "form": name,
        "kilobytes": path.stat().st_size / 1000,
        **{
            f"microseconds_a_beat_of_{batch}": microseconds_a_beat(
                classify, test.data, batch, repeats
            )
            for batch in BATCHES
        },
        "accuracy": accuracy_score(test.target, predicted),
        "macro_f1": f1_score(test.target, predicted, average="macro"),
        "labels_changed": int((probabilities.argmax(axis=1) != reference.argmax(axis=1)).sum()),
        "largest_difference": float(np.abs(probabilities - reference).max()),
    }


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, help="folder of the MIT-BIH records")
    parser.add_argument("--fraction", type=float, default=0.25, help="share of training rows")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--calibrate", type=int, default=500, help="beats to calibrate with")
    parser.add_argument("--repeats", type=int, default=200, help="calls to take the median of")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", default="export", help="name of the file of results")
    options = parser.parse_args()
    started = time.time()
    records = find_records(options.data)
    train = part_of(load_kaggle_heartbeat(records, "train"), options.fraction, options.seed)
    test = load_kaggle_heartbeat(records, "test")
    model = ECGCNNClassifier(max_epochs=options.epochs, random_state=options.seed)
    model.fit(train.data, train.target)

    with tempfile.TemporaryDirectory() as folder:
        paths = {
            "torch": Path(folder, "model.ecgclf"),
            **{f"ONNX {kind}": Path(folder, f"{kind}.onnx") for kind in _GRAPHS},
        }
        shown = part_of(train, options.calibrate / len(train.data), options.seed)
        model.save(paths["torch"])
        export_onnx(model, paths["ONNX float32"])
        halve_onnx(paths["ONNX float32"], paths["ONNX float16"])
        quantize_onnx(paths["ONNX float32"], paths["ONNX int8"], shown.data)
        reference = model.predict_proba(test.data)
        rows = [
            measure(
                name,
                path,
                torch_classifier(model) if name == "torch" else onnx_classifier(path),
                reference,
                test,
                options.repeats,
            )
            for name, path in paths.items()
        ]
    table = pd.DataFrame(rows)
    print(f"{len(train.data):,} training and {len(test.data):,} test rows")
    print(table.to_string(index=False, float_format=lambda figure: f"{figure:.4g}"))
    written = write_results(
        options.output, rows, seed=options.seed, started=started, packages=["onnxruntime"]
    )
    print(written)


if __name__ == "__main__":
    main()
