"""Classifiers adapted to patients by their first five labelled minutes.

ANSI/AAMI EC57 allows algorithms to use the labels of the first five minutes of a record. The
models are trained on DS1 and on these minutes of a patient of DS2, and tested on the rest of
that record. Models are chosen within DS1, in folds of records. DS2 is predicted once by the
chosen ones.

A second part transfers from MIT-BIH to PTB if enough PTB patients are available. Finished models
are cached, so an interrupted benchmark continues with the missing ones.

    python -m benchmarks.accuracy.transfer
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import f1_score
from sklearn.model_selection import GroupKFold
from tqdm.auto import tqdm

from benchmarks.accuracy.ptb import transfer_to_ptb
from benchmarks.common.arguments import make_parser, select_names
from benchmarks.common.data import find_records
from benchmarks.common.provenance import write_results
from benchmarks.models.adaptation import CANDIDATES, CLASSES, NETWORK, Recipe
from benchmarks.models.own_beats import LabelledRecords, load_records
from ecgclf.datasets import DS1, DS2
from ecgclf.evaluation import (
    F1,
    Accuracy,
    beat_report,
    ec57_report,
    patient_intervals,
)

#: Candidate costs of a missed S beat relative to others, for the decision rule.
COSTS_OF_S = (1.0, 2.0, 4.0)

N_FOLDS = 5

METRICS = {"accuracy": Accuracy(), "S_f1": F1("S"), "V_f1": F1("V")}


def labels_of(probabilities: np.ndarray, cost_of_s: float) -> np.ndarray:
    """Return the label of least expected cost."""
    return CLASSES[np.argmax(probabilities * np.where(CLASSES == "S", cost_of_s, 1), axis=1)]


def within_ds1(recipe: Recipe, records: LabelledRecords, seed: int, progress: Any) -> np.ndarray:
    """Predict the later beats of each record of DS1 in folds of records."""
    result = np.zeros((len(records.target), len(CLASSES)))
    folds = GroupKFold(N_FOLDS, shuffle=True, random_state=1)
    for train, test in folds.split(records.target, groups=records.record):
        result[test] = recipe.probabilities(
            records.select(train), records.select(test), seed, progress
        )
    return result


def choose(
    candidates: list[Recipe], records: LabelledRecords, seed: int, progress: Any
) -> tuple[Recipe, dict]:
    """Choose by the mean F1 of S and V. Almost all F and Q beats are of one patient each."""
    tried = []
    late, true = ~records.early, records.target[~records.early]
    for number, recipe in enumerate(candidates):
        probabilities = within_ds1(recipe, records, seed, progress)[late]
        for cost in COSTS_OF_S:
            predicted = labels_of(probabilities, cost)
            s, v = f1_score(true, predicted, labels=["S", "V"], average=None)
            tried.append(
                {"candidate": number, "cost_of_s": cost, "S_f1": float(s), "V_f1": float(v)}
            )
    best = max(tried, key=lambda row: row["S_f1"] + row["V_f1"])
    recipe = candidates[best["candidate"]]
    return recipe, {**best, "settings": settings_of(recipe), "tried": tried}


def settings_of(recipe: Recipe) -> str:
    """Format the chosen settings in one line."""
    beside = f"own_weight={recipe.own_weight:g}, others=1/{recipe.others or 'none'}"
    return f"{' '.join(str(recipe.estimator).split())}; {beside}"


def figures_of(true: np.ndarray, predicted: np.ndarray, record: np.ndarray) -> dict:
    """Compute the figures of the table, for all records and without record 232."""
    figures: dict[str, float] = {}
    for suffix, rows in (("", record != ""), ("_without_232", record != "232")):
        report = beat_report(true[rows], predicted[rows])
        f1 = report.per_class["f1"]
        figures[f"accuracy{suffix}"] = report.accuracy
        figures |= {f"{label}_f1{suffix}": float(f1[label]) for label in "SV"}
    gross = ec57_report(true, predicted, record).gross
    for label in "SV":
        for name in ("sensitivity", "positive_predictivity"):
            figures[f"{label}_{name}_ec57"] = float(gross.loc[label, name])
    return figures


def intervals_of(true: np.ndarray, predicted: np.ndarray, record: np.ndarray) -> dict:
    """Compute intervals over patients."""
    table = patient_intervals(true, predicted, record, METRICS, random_state=0)
    return {name: [float(row["low"]), float(row["high"])] for name, row in table.iterrows()}


def by_record(true: np.ndarray, predicted: np.ndarray, record: np.ndarray) -> dict:
    """Count the S and V beats of each record: present, found and false positive."""
    return {
        name: {
            label: [
                int(np.sum(there & (true == label))),
                int(np.sum(there & (true == label) & (predicted == label))),
                int(np.sum(there & (true != label) & (predicted == label))),
            ]
            for label in "SV"
        }
        for name in np.unique(record).tolist()
        for there in [record == name]
    }


def main() -> None:
    """Run the benchmark."""
    parser = make_parser(__doc__, output="transfer", seeds=[0, 1, 2], only="models")
    parser.add_argument("--ptb", type=Path, help="folder of PTB records or CSVs")
    options = parser.parse_args()
    started = time.time()
    folder = find_records(options.data)
    train = load_records(folder, DS1)
    names = select_names(CANDIDATES, options.only)

    with tqdm(unit="model", desc="within DS1", disable=None) as progress:
        chosen = {}
        for name in names:
            chosen[name] = choose(CANDIDATES[name], train, options.seeds[0], progress)
            found = chosen[name][1]
            tqdm.write(f"DS1: S F1 {found['S_f1']:.3f}, V F1 {found['V_f1']:.3f}  {name}")

    test = load_records(folder, DS2)
    late = ~test.early
    true, record = test.target[late], test.record[late]
    rows, details = [], {}
    with tqdm(unit="model", desc="DS2", disable=None) as progress:
        for name, (recipe, selection) in chosen.items():
            for seed in options.seeds:
                probabilities = recipe.probabilities(train, test, seed, progress)[late]
                predicted = labels_of(probabilities, selection["cost_of_s"])
                rows.append({"model": name, "seed": seed, **figures_of(true, predicted, record)})
                if seed == options.seeds[0]:
                    details[name] = {
                        "intervals": intervals_of(true, predicted, record),
                        "records": by_record(true, predicted, record),
                    }
    shown = ["accuracy", "S_f1", "V_f1", "S_f1_without_232", "V_f1_without_232"]
    means = pd.DataFrame(rows).groupby("model", sort=False)[shown].mean()
    print(means.to_string(float_format="{:.3f}".format))

    results = {
        "within_ds1": {name: selection for name, (_, selection) in chosen.items()},
        "ds2": rows,
        "ds2_first_seed": details,
        "ptb": transfer_to_ptb(options.ptb, folder, NETWORK, options.seeds),
    }
    file = write_results(options.output, results, seed=options.seeds[0], started=started)
    print(f"\nWritten to {file}.")


if __name__ == "__main__":
    main()
