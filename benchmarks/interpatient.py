"""Train on the patients of DS1 and test on those of DS2, from the raw records.

Each model gets a score by cross-validation within DS1, patient by patient, and the one that is
best there is the one to quote. DS2 is predicted by all of them, with several seeds, so that the
choice can be judged. Intervals are over patients, and figures are given without record 232 too,
which has three of four S beats.

Labels of DS2 are never used, and each model sees what `interpatient_models.py` says. Features
that compare a beat with its record need the whole record, or its last 32 beats, but no labels.
Finished runs are kept: a benchmark that was killed goes on where it stood.

    python benchmarks/interpatient.py
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from _data import find_records
from _names import asked_for
from _results import write_results
from _runs import prepare, run
from interpatient_models import MODELS, WINDOW
from sklearn.base import BaseEstimator, clone
from sklearn.metrics import f1_score
from sklearn.model_selection import GroupKFold
from tqdm.auto import tqdm

from ecgclf.datasets import Beats, load_mitbih
from ecgclf.evaluation import F1, Accuracy, PositivePredictivity, Sensitivity, patient_intervals

N_FOLDS = 11

METRICS = {
    "accuracy": Accuracy(),
    **{
        f"{label} {name}": metric(label)
        for label in "SV"
        for name, metric in [
            ("F1", F1),
            ("sensitivity", Sensitivity),
            ("positive predictivity", PositivePredictivity),
        ]
    },
}


def seeded(estimator: BaseEstimator, seed: int, n_jobs: int | None) -> BaseEstimator:
    """Copy an estimator, and give every random part of it the seed."""
    estimator = prepare(clone(estimator), seed=seed, n_jobs=n_jobs)
    names = [name for name in estimator.get_params() if name.endswith("random_state")]
    return estimator.set_params(**dict.fromkeys(names, seed))


def score_of(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    """F1 of the two classes that have beats of more than a few patients."""
    return float(f1_score(y_true, y_pred, labels=["S", "V"], average="macro"))


def score_within(X: np.ndarray, train: Beats, model: BaseEstimator) -> dict[str, float]:
    """Predict each patient of DS1 by a model that was trained on others."""
    y = np.asarray(train.target)
    predicted = np.empty_like(y)
    for rows, others in GroupKFold(N_FOLDS).split(X, y, train.groups):
        predicted[others] = run(model, X[rows], y[rows], X[others])["predicted"]
    return {
        "score": score_of(y, predicted),
        **{name: float(metric(y, predicted)) for name, metric in METRICS.items()},
    }


def figures_of(test: Beats, predicted: np.ndarray, rows: np.ndarray) -> dict[str, dict]:
    """Give every figure with its interval over patients."""
    table = patient_intervals(
        np.asarray(test.target)[rows],
        predicted[rows],
        test.groups[rows],
        METRICS,
        random_state=0,
    )
    return table.drop(columns="defined").round(4).to_dict("index")


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, help="folder of the MIT-BIH records")
    parser.add_argument("--only", nargs="*", help="models: words of their names")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--n-jobs", type=int, help="threads of torch; default: one")
    parser.add_argument("--output", default="interpatient", help="name of the file of results")
    options = parser.parse_args()
    started = time.time()
    folder = find_records(options.data)
    train, test = (
        load_mitbih(folder, records=side, window=WINDOW, rhythm=False, as_frame=True)
        for side in ("ds1", "ds2")
    )
    models = {name: MODELS[name] for name in asked_for(MODELS, options.only)}
    y = np.asarray(train.target)
    without_232 = test.record != "232"
    progress = tqdm(total=len(models) * (1 + len(options.seeds)), unit="step", disable=None)
    within, rows = [], []
    for name, model in models.items():
        # Made of each record by itself and without labels: no fold could leak into another.
        seen = clone(model.sees).fit(train.frame)
        X, X_test = seen.transform(train.frame), seen.transform(test.frame)
        first = seeded(model.learns, options.seeds[0], options.n_jobs)
        within.append({"model": name, "features": X.shape[1], **score_within(X, train, first)})
        tqdm.write(f"DS1 {within[-1]['score']:.3f}  {name}")
        progress.update()
        for seed in options.seeds:
            result = run(seeded(model.learns, seed, options.n_jobs), X, y, X_test)
            predicted = result["predicted"]
            rows.append({
                "model": name,
                "seed": seed,
                "seconds": result["seconds"],
                "parameters": result["parameters"],
                "ds2": figures_of(test, predicted, np.ones(len(predicted), dtype=bool)),
                "without_232": figures_of(test, predicted, without_232),
            })  # fmt: skip
            tqdm.write(f"DS2 {line_of(rows[-1]['ds2'])}  {name}, seed {seed}")
            progress.update()
    progress.close()
    chosen = max(within, key=lambda row: row["score"])["model"]
    print(pd.DataFrame(within).to_string(index=False, float_format="{:.3f}".format))
    print(f"\nBest within DS1: {chosen}")
    figures = {"within_ds1": within, "chosen": chosen, "runs": rows}
    file = write_results(options.output, figures, seed=options.seeds[0], started=started)
    print(f"\nWritten to {file}.")


def line_of(figures: dict[str, Any]) -> str:
    """Write the three headline figures."""
    return " ".join(f"{figures[name]['estimate']:.3f}" for name in ("accuracy", "S F1", "V F1"))


if __name__ == "__main__":
    main()
