"""The Kaggle "heartbeat" rows, each seen with its neighbours in the recording.

The network is trained on the beats of the published training rows and tested once on those of the
published test rows. The beats of the test rows lie between the training rows, and have the weight
0 in training, so their labels are not used. As with the rows themselves, the patients of the test
rows are also in the training rows: the figures do not apply to new patients. They must not be
compared with those of networks that see a single row.

The settings were chosen on a held-out fifth of the training rows, as the second command shows.

    python -m benchmarks.accuracy.kaggle_context
    python -m benchmarks.accuracy.kaggle_context --held-out
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import train_test_split
from tqdm.auto import tqdm

from benchmarks.common.arguments import make_parser
from benchmarks.common.data import find_records
from benchmarks.common.provenance import write_results
from benchmarks.common.runs import run
from benchmarks.models.context_models import KAGGLE, KAGGLE_FS, KAGGLE_WINDOW
from ecgclf.datasets import Beats, load_kaggle_heartbeat, load_mitbih


def rows_in(beats: Beats, rows: Beats) -> NDArray[np.int64]:
    """Find the beats of rows of the Kaggle set among all beats of the records."""
    place = pd.MultiIndex.from_arrays([beats.record.astype(str), beats.sample])
    found = place.get_indexer([rows.record.astype(str), rows.sample])
    if (found < 0).any():
        raise ValueError(f"{(found < 0).sum()} rows of the Kaggle set have no annotated beat.")
    return found


def figures(target: NDArray, predicted: NDArray) -> dict[str, Any]:
    """Compute accuracy, macro-F1 and the F1 of each class."""
    classes = np.unique(target)
    scores = f1_score(target, predicted, average=None, labels=classes)
    return {
        "accuracy": accuracy_score(target, predicted),
        "macro_f1": f1_score(target, predicted, average="macro"),
        **{f"F1 {label}": score for label, score in zip(classes, scores)},
    }


def main() -> None:
    """Run the benchmark."""
    parser = make_parser(__doc__, seeds=[0, 1, 2], output="kaggle-context")
    parser.add_argument(
        "--held-out", action="store_true", help="test on a held-out fifth of the training rows"
    )
    options = parser.parse_args()
    started = time.time()
    folder = find_records(options.data)
    beats = load_mitbih(
        folder, records="all", fs=KAGGLE_FS, window=KAGGLE_WINDOW, rhythm=False, as_frame=True
    )
    X = beats.frame.drop(columns="target")
    train, test = (load_kaggle_heartbeat(folder, subset) for subset in ("train", "test"))
    if options.held_out:
        known, held = train_test_split(
            np.arange(len(train.data)), test_size=0.2, stratify=train.target, random_state=0
        )
        train, test = train.select(known), train.select(held)
    at_train, at_test = rows_in(beats, train), rows_in(beats, test)
    y = np.full(len(X), "N", dtype=object)
    weight = np.zeros(len(X))
    y[at_train], weight[at_train] = train.target, 1.0
    rows, probabilities = [], []
    for seed in tqdm(options.seeds, unit="run", disable=None):
        network = clone(KAGGLE).set_params(random_state=seed, n_jobs=1)
        result = run(network, X, y.astype(str), X, sample_weight=weight)
        probabilities.append(result["probabilities"][at_test])
        rows.append({
            "network": "beats in context",
            "seed": seed,
            **figures(test.target, result["predicted"][at_test]),
            **{name: result[name] for name in ("parameters", "epochs", "seconds")},
        })  # fmt: skip
        tqdm.write(f"{rows[-1]['accuracy']:.4f} {rows[-1]['macro_f1']:.4f}  seed {seed}")
    if len(rows) > 1:
        predicted = result["classes"][np.mean(probabilities, axis=0).argmax(axis=1)]
        rows.append({
            "network": f"mean of {len(rows)} networks",
            "seed": None,
            **figures(test.target, predicted),
            **{name: sum(row[name] for row in rows) for name in ("parameters", "seconds")},
            "epochs": rows[0]["epochs"],
        })  # fmt: skip
    print(pd.DataFrame(rows).to_string(index=False))
    name = "kaggle-context-held-out" if options.held_out else options.output
    write_results(name, rows, seed=options.seeds[0], started=started)


if __name__ == "__main__":
    main()
