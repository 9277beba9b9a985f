"""Infarction against normal from one median beat: what transfer from MIT-BIH brings.

The recordings of PTB-XL with an infarction, and those that are normal only, are represented by
their median beat: of lead II in the form of the Kaggle rows, or of all leads. Networks train
from scratch, or start from the same network trained on the Kaggle rows. Patients are apart:
folds 1 to 8 train, 9 is for choices, 10 tests. Published figures for PTB are of another set,
whose beats were split at random; these are not comparable.

Finished trainings are cached, so an interrupted benchmark continues with the missing ones. The
result file is written after each network.

    python -m benchmarks.accuracy.infarction
"""

from __future__ import annotations

import time
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone
from sklearn.metrics import accuracy_score, f1_score

from benchmarks.common.arguments import select_names
from benchmarks.common.data import find_records, load_kaggle
from benchmarks.common.provenance import write_results
from benchmarks.common.ptbxl import describe, load, make_ptbxl_parser
from benchmarks.common.runs import fitted, run
from benchmarks.models import ours
from benchmarks.models.median_beats import median_beats
from benchmarks.models.published import PUBLISHED
from ecgclf import ECGTransferClassifier, load_pretrained
from ecgclf.datasets import RecordingSet
from ecgclf.evaluation import AUPRC, AUROC, compare_models, patient_intervals

#: Shares of the training patients, with the number of epochs.
EPOCHS = {0.05: 30, 0.2: 15, 1.0: 8}

#: One training for all networks and starts.
TRAINING = {
    "optimizer": "adamw",
    "lr_schedule": "one_cycle",
    "batch_size": 32,
    "early_stopping": False,
    "class_weight": None,
    "n_jobs": 1,
    "verbose": 0,
}

#: Training of the sources, on every fourth Kaggle row.
SOURCE = {**TRAINING, "batch_size": 128, "lr": 1e-3, "max_epochs": 4, "random_state": 0}

STRATEGIES = ("frozen", "gradual", "finetune")

OURS = "our residual network"

METRICS = {"auroc": AUROC(), "auprc": AUPRC()}


def networks() -> dict[str, BaseEstimator]:
    """Return the networks by name."""
    numbers = ("1 ", "2 ", "3 ", "9 ", "8 ")
    published = {
        name: PUBLISHED[name] for n in numbers for name in PUBLISHED if name.startswith(n)
    }
    return {OURS: ours.residual_network, **published}


def source_of(name: str, network: BaseEstimator, records: Path) -> BaseEstimator:
    """Train a network on Kaggle rows; ours is a packaged model, trained on all of them."""
    if name == OURS:
        return load_pretrained("mitbih-kaggle")
    rows = load_kaggle(records, "train")
    return fitted(clone(network).set_params(**SOURCE), rows.data[::4], rows.target[::4])


def models(network: BaseEstimator, source: BaseEstimator, lr: float) -> dict[str, BaseEstimator]:
    """Return the network from scratch and its transfers."""
    settings = {**TRAINING, "lr": lr}
    plain = {"augment": None, "label_smoothing": 0.0}
    return {"scratch": clone(network).set_params(**settings, **plain)} | {
        strategy: ECGTransferClassifier(
            source=source, strategy=strategy, dense=(256, 128), **settings
        )
        for strategy in STRATEGIES
    }


def plan(name: str, rows: np.ndarray, beats: np.ndarray, records: Path) -> list[tuple]:
    """List the trainings of a network: what identifies it, its input and the estimator.

    From all leads, only ours trains: on beats in mV, and from the Kaggle rows on rows.
    """
    network, lr = networks()[name], 3e-3 if name == OURS else 1e-3
    of_lead = models(network, source_of(name, network, records), lr)
    key = {"input": "lead II", "network": name}
    trainings = [({**key, "start": start}, rows[:, 1], of_lead[start]) for start in of_lead]
    if name == OURS:
        key["input"] = "12 leads"
        trainings.append(({**key, "start": "scratch"}, beats, of_lead["scratch"]))
        for start in ("frozen", "finetune"):
            model = clone(of_lead[start]).set_params(combine_leads="concatenate")
            trainings.append(({**key, "start": start}, rows, model))
    return trainings


def some_patients(groups: np.ndarray, share: float, seed: int) -> np.ndarray:
    """Draw a share of the patients; a smaller share is a part of a larger one."""
    patients = np.random.default_rng(seed).permutation(np.unique(groups))
    return np.isin(groups, patients[: round(share * len(patients))])


def figures_of(recordings: RecordingSet, score: np.ndarray) -> dict[str, float]:
    """Compute the figures of the published tables."""
    true, found = recordings.target == "infarction", score > 0.5
    return {
        "accuracy": float(accuracy_score(true, found)),
        "f1": float(f1_score(true, found)),
        **{name: float(metric(recordings.target, score)) for name, metric in METRICS.items()},
    }


def measure(
    model: BaseEstimator, X: np.ndarray, recordings: RecordingSet, seed: int, share: float
) -> dict[str, Any]:
    """Train on a share of the patients of folds 1 to 8, and predict folds 9 and 10."""
    train = np.flatnonzero(recordings.fold < 9)
    train = train[some_patients(recordings.groups[train], share, seed)]
    model = clone(model).set_params(random_state=seed, max_epochs=EPOCHS[share])
    test = recordings.fold >= 9
    done = run(model, X[train], recordings.target[train], X[test])
    column = done["classes"].tolist().index("infarction")
    score = pd.Series(done["probabilities"][:, column], index=recordings.record[test])
    of_fold = {}
    for fold in (9, 10):
        part = recordings.select(recordings.fold == fold)
        of_fold[f"fold_{fold}"] = figures_of(part, score[part.record].to_numpy())
    return {"seconds": done["seconds"], "epochs": done["epochs"], **of_fold, "score": score}


def summarise(rows: list[dict], recordings: RecordingSet) -> dict[str, Any]:
    """Average the scores over seeds, and compute intervals by patient on fold 10."""
    test = recordings.select(recordings.fold == 10)
    mean = {
        key: pd.concat([row["score"] for row in group], axis=1).mean(axis=1)[test.record]
        for key in dict.fromkeys(_key(row) for row in rows)
        for group in [[row for row in rows if _key(row) == key]]
    }
    table = []
    for key, score in mean.items():
        entry = dict(zip(("input", "network", "start", "share"), key))
        intervals = patient_intervals(
            test.target, score.to_numpy(), test.groups, METRICS, random_state=0
        )
        for name, found in intervals.iterrows():
            entry[name] = [float(found[column]) for column in ("estimate", "low", "high")]
        scratch = mean.get((*key[:2], "scratch", key[3]))
        if key[2] != "scratch" and scratch is not None:
            models = {"transferred": score.to_numpy(), "scratch": scratch.to_numpy()}
            comparison = compare_models(
                test.target, models, test.groups, METRICS["auroc"], random_state=0
            )
            gain = comparison.differences.iloc[0]
            entry["auroc_gain"] = [float(gain[c]) for c in ("difference", "low", "high")]
        table.append(entry)
    trained = [{k: v for k, v in row.items() if k != "score"} for row in rows]
    return {"runs": trained, "mean_of_seeds": table}


def _key(row: dict) -> tuple:
    return tuple(row[name] for name in ("input", "network", "start", "share"))


def main() -> None:
    """Run the benchmark."""
    parser = make_ptbxl_parser(__doc__, output="infarction", only="networks")
    parser.add_argument("--shares", type=float, nargs="+", choices=EPOCHS, default=[*EPOCHS])
    parser.add_argument("--starts", nargs="+", default=["scratch", *STRATEGIES])
    options = parser.parse_args()
    started = time.time()
    recordings = load(options.ptbxl, "mi")
    rows, beats = median_beats(recordings.data, recordings.fs)
    measured: list[dict] = []
    for name in select_names(networks(), options.only):
        trainings = plan(name, rows, beats, find_records(options.data))
        trainings = [each for each in trainings if each[0]["start"] in options.starts]
        for share in options.shares:
            for (key, X, model), seed in product(trainings, options.seeds):
                found = measure(model, X, recordings, seed, share)
                measured.append({**key, "share": share, "seed": seed, **found})
                print(*key.values(), share, seed, f"{found['fold_9']['auroc']:.3f}", flush=True)
            results = {**describe(recordings), **summarise(measured, recordings)}
            write_results(options.output, results, seed=options.seeds[0], started=started)


if __name__ == "__main__":
    main()
