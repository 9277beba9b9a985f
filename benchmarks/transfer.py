"""Adapt classifiers to patients by their first five labelled minutes, and test on the rest.

What ANSI/AAMI EC57 allows: the beats of the first five minutes of a record are known with their
labels. The models learn from DS1 and from these minutes of a patient of DS2, and are tested on
the rest of that record. Everything is chosen within DS1, where folds of records play the part
of DS2; DS2 is read once, by what was fixed before.

A second part goes from MIT-BIH to PTB, where there are enough patients of it. Finished models
are kept: a benchmark that was killed goes on where it stood.

    python benchmarks/transfer.py
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from _adaptation import CANDIDATES, CLASSES, NETWORK, Recipe
from _data import find_records
from _names import asked_for
from _own_beats import LabelledRecords, load_records
from _results import write_results
from _to_ptb import to_ptb
from sklearn.metrics import f1_score
from sklearn.model_selection import GroupKFold
from tqdm.auto import tqdm

from ecgclf.evaluation import (
    DS1,
    DS2,
    F1,
    Accuracy,
    beat_report,
    ec57_report,
    patient_intervals,
)

#: How much more a missed S beat may cost than another, when probabilities become labels.
COSTS_OF_S = (1.0, 2.0, 4.0)

N_FOLDS = 5

METRICS = {"accuracy": Accuracy(), "S_f1": F1("S"), "V_f1": F1("V")}


def labels_of(probabilities: np.ndarray, cost_of_s: float) -> np.ndarray:
    """Take the label that costs least."""
    return CLASSES[np.argmax(probabilities * np.where(CLASSES == "S", cost_of_s, 1), axis=1)]


def within_ds1(recipe: Recipe, records: LabelledRecords, seed: int, progress: Any) -> np.ndarray:
    """Predict the later beats of each record by a model that has not seen them."""
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
    """Choose by the mean F1 of S and V: F and Q are of hardly more than one patient each."""
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
    """Write what was chosen in a line."""
    beside = f"own_weight={recipe.own_weight:g}, others=1/{recipe.others or 'none'}"
    return f"{' '.join(str(recipe.estimator).split())}; {beside}"


def figures_of(true: np.ndarray, predicted: np.ndarray, record: np.ndarray) -> dict:
    """Take what the table shows, of all records and without 232."""
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
    """Resample the patients."""
    table = patient_intervals(true, predicted, record, METRICS, random_state=0)
    return {name: [float(row["low"]), float(row["high"])] for name, row in table.iterrows()}


def by_record(true: np.ndarray, predicted: np.ndarray, record: np.ndarray) -> dict:
    """Count the S and V beats of each record: there, found, and called so wrongly."""
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
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, help="folder of the MIT-BIH records")
    parser.add_argument("--ptb", type=Path, help="folder of PTB records or CSVs")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--only", nargs="*", help="models: words of their names")
    parser.add_argument("--output", default="transfer", help="name of the file of results")
    options = parser.parse_args()
    started = time.time()
    folder = find_records(options.data)
    train = load_records(folder, DS1)
    names = asked_for(CANDIDATES, options.only)

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
        "ptb": to_ptb(options.ptb, folder, NETWORK, options.seeds),
    }
    file = write_results(options.output, results, seed=options.seeds[0], started=started)
    print(f"\nWritten to {file}.")


if __name__ == "__main__":
    main()
