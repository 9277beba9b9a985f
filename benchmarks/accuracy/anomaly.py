"""Anomaly detectors trained on N beats only. All other beats are abnormal.

Between patients: trained on N beats of DS1, tested on all beats of DS2. The input representation
and the weight of the rhythm are chosen within DS1 in folds of records. Within patients: trained
on N rows of the training part of the Kaggle set, tested on its test rows, which are of the same
patients. Finished models are cached, so an interrupted benchmark continues with the missing
ones.

    python -m benchmarks.accuracy.anomaly
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold
from tqdm.auto import tqdm

from benchmarks.common.arguments import make_parser, select_names
from benchmarks.common.data import find_records
from benchmarks.common.provenance import write_results
from benchmarks.common.runs import prepare, scored
from benchmarks.models.detectors import DETECTORS, VIEWS, View, unchanged
from ecgclf.datasets import Beats, load_kaggle_heartbeat, load_mitbih
from ecgclf.evaluation import anomaly_report, patient_intervals

FS, WINDOW = 120.0, (0.25, 0.45)

#: One in `N_THINNED` N beats is used for training.
N_THINNED = 10

#: Candidate weights of the earliness relative to the logarithm of the error.
RHYTHM_WEIGHTS = (2.0, 5.0, 10.0)

N_FOLDS = 3

#: Score with an interval, and the number of bootstrap resamples of patients.
LAST, N_RESAMPLES = "relative error and earliness", 99

PARTS = ("between", "within")


def load(folder: Path, records: str) -> Beats:
    """Load beats of one lead."""
    return load_mitbih(folder, records=records, fs=FS, window=WINDOW)


def earliness(beats: Beats) -> np.ndarray:
    """Compute how early each beat is, as a fraction of the mean of the last 32 RR intervals."""
    column = list(beats.rhythm_names).index("rr_prev_over_mean_32")
    return np.maximum(0, 1 - beats.rhythm[:, column])


def errors_of(
    detector: BaseEstimator, view: View, train: Beats, test: Beats, seed: int, progress: Any
) -> np.ndarray:
    """Train on N beats and return the errors of other beats, higher for abnormal ones."""
    X, X_test = (view(beats.data, beats.record) for beats in (train, test))
    normal = np.flatnonzero(train.target == "N")[::N_THINNED]
    found = scored(prepare(clone(detector), seed=seed), X[normal], X_test)
    progress.update()
    return -found["scores"]


def scores_of(error: np.ndarray, beats: Beats, weight: float) -> dict[str, np.ndarray]:
    """Compute three scores: the error, relative to that of the record, and with earliness.

    The last two need the whole record, but no labels.
    """
    logarithm = np.log(error)
    for name in np.unique(beats.record):
        rows = beats.record == name
        logarithm[rows] -= np.median(logarithm[rows])
    return {
        "error": error,
        "relative error": logarithm,
        LAST: logarithm + weight * earliness(beats),
    }


def choose(
    detector: BaseEstimator, beats: Beats, seed: int, progress: Any
) -> dict[str, dict[str, Any]]:
    """Choose, for each score, what the detector sees and the weight of the rhythm."""
    abnormal = beats.target != "N"
    best: dict[str, dict[str, Any]] = {}
    for name_of_view, view in VIEWS.items():
        error = np.empty(len(abnormal))
        folds = GroupKFold(N_FOLDS, shuffle=True, random_state=1)
        for train, test in folds.split(abnormal, groups=beats.record):
            error[test] = errors_of(
                detector, view, beats.select(train), beats.select(test), seed, progress
            )
        for weight in RHYTHM_WEIGHTS:
            for name, score in scores_of(error, beats, weight).items():
                auroc = float(roc_auc_score(abnormal, score))
                if name not in best or auroc > best[name]["auroc"]:
                    best[name] = {"view": name_of_view, "weight": weight, "auroc": auroc}
    return best


def figures_of(beats: Beats, score: np.ndarray) -> dict[str, float]:
    """Compute areas under curves for all abnormal beats, and for each class against N."""
    report = anomaly_report(beats.target != "N", score, beats.groups)
    figures = {
        "auroc": report.auroc,
        "auprc": report.auprc,
        "prevalence": report.prevalence,
        "mean_patient_auroc": report.mean_patient_auroc,
    }
    for label in "SVF":
        rows = np.isin(beats.target, ["N", label])
        figures[f"{label}_auroc"] = float(roc_auc_score(beats.target[rows] == label, score[rows]))
    return figures


def interval_of(beats: Beats, score: np.ndarray) -> list[float]:
    """Compute the interval of the AUROC over patients."""
    table = patient_intervals(
        beats.target != "N",
        score,
        beats.groups,
        {"auroc": roc_auc_score},
        n_resamples=N_RESAMPLES,
        random_state=0,
    )
    return table.loc["auroc", ["low", "high"]].astype(float).tolist()


def between(
    names: list[str], train: Beats, test: Beats, chosen: dict, seeds: list[int]
) -> list[dict]:
    """Train on DS1 and test on DS2."""
    rows = []
    with tqdm(unit="model", desc="DS2", disable=None) as progress:
        for name in names:
            for seed in seeds:
                for kind, choice in chosen[name].items():
                    error = errors_of(
                        DETECTORS[name], VIEWS[choice["view"]], train, test, seed, progress
                    )
                    score = scores_of(error, test, choice["weight"])[kind]
                    row = {"detector": name, "score": kind, "seed": seed}
                    row |= figures_of(test, score)
                    if seed == seeds[0] and kind == LAST:
                        row["interval"] = interval_of(test, score)
                    rows.append(row)
    row = {"detector": "none", "score": "earliness alone", "seed": seeds[0]}
    score = earliness(test)
    return [*rows, row | figures_of(test, score) | {"interval": interval_of(test, score)}]


def within(names: list[str], folder: Path, seeds: list[int]) -> list[dict]:
    """Train on training rows of the Kaggle set and test on its test rows."""
    train, test = (load_kaggle_heartbeat(folder, subset) for subset in ("train", "test"))
    rows = []
    with tqdm(unit="model", desc="Kaggle rows", disable=None) as progress:
        for name in names:
            for seed in seeds:
                error = errors_of(DETECTORS[name], unchanged, train, test, seed, progress)
                rows.append(
                    {"detector": name, "score": "error", "seed": seed} | figures_of(test, error)
                )
    return rows


def main() -> None:
    """Run the benchmark."""
    parser = make_parser(__doc__, output="anomaly", seeds=[0, 1, 2], only="detectors")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    options = parser.parse_args()
    started = time.time()
    folder = find_records(options.data)
    names = select_names(DETECTORS, options.only)
    results: dict[str, Any] = {}
    if "between" in options.parts:
        train, chosen = load(folder, "ds1"), {}
        with tqdm(unit="model", desc="within DS1", disable=None) as progress:
            for name in names:
                chosen[name] = choose(DETECTORS[name], train, options.seeds[0], progress)
                for kind, found in chosen[name].items():
                    tqdm.write(
                        f"DS1: AUROC {found['auroc']:.3f}  {name}, {kind}: {found['view']}"
                    )
        results["within_ds1"] = chosen
        results["between"] = between(names, train, load(folder, "ds2"), chosen, options.seeds)
    if "within" in options.parts:
        results["within"] = within(names, folder, options.seeds)
    for part in options.parts:
        table = pd.DataFrame(results[part]).drop(columns=["seed", "interval"], errors="ignore")
        print(table.groupby(["detector", "score"], sort=False).mean().round(3).to_string())
    file = write_results(options.output, results, seed=options.seeds[0], started=started)
    print(f"\nWritten to {file}.")


if __name__ == "__main__":
    main()
