"""Models trained on the patients of DS1 and tested on those of DS2, from the raw records.

Each model is scored by cross-validation over the patients of DS1. The figures to quote are those
of the model with the best score. All models predict DS2, with several seeds, to show the effect
of this choice. Intervals are over patients. Figures are also given without record 232, which has
three quarters of the S beats.

Labels of DS2 are not used for training or selection. Features relative to the record need the
whole record, or its last 32 beats, but no labels; see `benchmarks.models.interpatient_models`.
Finished runs are cached, so an interrupted benchmark continues with the missing ones.

    python -m benchmarks.accuracy.interpatient
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone
from sklearn.metrics import f1_score
from sklearn.model_selection import GroupKFold
from tqdm.auto import tqdm

from benchmarks.common.arguments import make_parser, select_names
from benchmarks.common.data import find_records
from benchmarks.common.provenance import write_results
from benchmarks.common.runs import prepare, run
from benchmarks.models.interpatient_models import MODELS, WINDOW
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


def score_of(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    """Compute the mean F1 of S and V, the abnormal classes of more than a few patients."""
    return float(f1_score(y_true, y_pred, labels=["S", "V"], average="macro"))


def score_within(X: np.ndarray, train: Beats, model: BaseEstimator) -> dict[str, float]:
    """Cross-validate over the patients of DS1."""
    y = np.asarray(train.target)
    predicted = np.empty_like(y)
    for rows, others in GroupKFold(N_FOLDS).split(X, y, train.groups):
        predicted[others] = run(model, X[rows], y[rows], X[others])["predicted"]
    return {
        "score": score_of(y, predicted),
        **{name: float(metric(y, predicted)) for name, metric in METRICS.items()},
    }


def figures_of(test: Beats, predicted: np.ndarray, rows: np.ndarray) -> dict[str, dict]:
    """Compute all figures with their intervals over patients."""
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
    parser = make_parser(__doc__, output="interpatient", seeds=[0, 1, 2], only="models")
    parser.add_argument("--n-jobs", type=int, help="threads of torch; default: one")
    options = parser.parse_args()
    started = time.time()
    folder = find_records(options.data)
    train, test = (
        load_mitbih(folder, records=side, window=WINDOW, rhythm=False, as_frame=True)
        for side in ("ds1", "ds2")
    )
    models = {name: MODELS[name] for name in select_names(MODELS, options.only)}
    y = np.asarray(train.target)
    without_232 = test.record != "232"
    progress = tqdm(total=len(models) * (1 + len(options.seeds)), unit="step", disable=None)
    within, rows = [], []
    for name, model in models.items():
        # Features use no labels and one record at a time, so folds cannot leak.
        features = clone(model.features).fit(train.frame)
        X, X_test = features.transform(train.frame), features.transform(test.frame)
        estimators = {
            seed: prepare(clone(model.estimator), seed=seed, n_jobs=options.n_jobs)
            for seed in options.seeds
        }
        first = estimators[options.seeds[0]]
        within.append({"model": name, "features": X.shape[1], **score_within(X, train, first)})
        tqdm.write(f"DS1 {within[-1]['score']:.3f}  {name}")
        progress.update()
        for seed in options.seeds:
            result = run(estimators[seed], X, y, X_test)
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
    """Format the three main figures."""
    return " ".join(f"{figures[name]['estimate']:.3f}" for name in ("accuracy", "S F1", "V F1"))


if __name__ == "__main__":
    main()
