"""Size, speed and accuracy of a network in torch and as ONNX graphs of 32, 16 and 8 bits.

The default `ECGCNNClassifier` is trained on a part of the training rows of the Kaggle
"heartbeat" set and tested on its published test rows. Training and test rows share patients: the
figures compare the graphs and do not apply to new patients. Times are CPU times of one thread;
graphs take batches of 256 beats.

    python -m benchmarks.speed.export --fraction 0.25 --epochs 5
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import pandas as pd
from sklearn.metrics import accuracy_score, f1_score

from benchmarks.common.arguments import fraction, make_parser
from benchmarks.common.data import find_records, part_of
from benchmarks.common.provenance import write_results
from ecgclf import ECGCNNClassifier
from ecgclf.datasets import Beats, load_kaggle_heartbeat
from ecgclf.export import export_onnx, halve_onnx, quantize_onnx

#: Function from beats to labels and probabilities.
Classify = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]

#: Numbers of beats per call.
CALLS = (1, 256, 100_000)

#: Number of beats that a graph takes at once.
BATCH_SIZE = 256

#: Number types of the graphs.
_GRAPHS = ("float32", "float16", "int8")


def onnx_classifier(path: Path) -> Classify:
    """Open a graph that runs on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def classify(X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        starts = range(0, len(X), BATCH_SIZE)
        parts = [session.run(None, {"X": X[start : start + BATCH_SIZE]}) for start in starts]
        labels, probabilities = zip(*parts)
        return np.concatenate(labels), np.concatenate(probabilities)

    return classify


def torch_classifier(model: ECGCNNClassifier) -> Classify:
    """Wrap the estimator itself."""

    def classify(X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        probabilities = model.predict_proba(X)
        return model.classes_[probabilities.argmax(axis=1)], probabilities

    return classify


def microseconds_a_beat(classify: Classify, X: np.ndarray, n_beats: int, repeats: int) -> float:
    """Measure the median CPU time per beat of calls for different beats, in µs."""
    X = np.resize(X, (max(len(X), n_beats + 1), X.shape[1]))
    repeats = min(repeats, max(3, 300_000 // n_beats))
    times = []
    for i in range(repeats + 1):
        start = i * n_beats % (len(X) - n_beats)
        beats = X[start : start + n_beats]
        began = time.process_time()
        classify(beats)
        times.append(time.process_time() - began)
    return float(np.median(times[1:])) / n_beats * 1e6  # without warm-up


def measure(
    name: str, path: Path, classify: Classify, reference: np.ndarray, test: Beats, repeats: int
) -> dict:
    """Return the table row of one form of the network."""
    predicted, probabilities = classify(test.data)
    return {
        "form": name,
        "kilobytes": path.stat().st_size / 1000,
        **{
            f"microseconds_a_beat_of_{n}": microseconds_a_beat(classify, test.data, n, repeats)
            for n in CALLS
        },
        "accuracy": accuracy_score(test.target, predicted),
        "macro_f1": f1_score(test.target, predicted, average="macro"),
        "labels_changed": int((probabilities.argmax(axis=1) != reference.argmax(axis=1)).sum()),
        "largest_difference": float(np.abs(probabilities - reference).max()),
    }


def main() -> None:
    """Run the benchmark."""
    parser = make_parser(__doc__, output="export")
    parser.add_argument("--fraction", type=fraction, default=0.25, help="share of training rows")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--calibrate", type=int, default=500, help="beats for calibration")
    parser.add_argument("--repeats", type=int, default=200, help="number of timed calls")
    parser.add_argument("--seed", type=int, default=0)
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
