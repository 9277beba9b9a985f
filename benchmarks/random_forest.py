"""Train a random forest on few features of rhythm and shape, DS1 to DS2, from the raw records.

One pipeline goes from positions and signals to labels. Its parameters are chosen within DS1 by
a grid search with folds of patients; DS2 is read once, by what was fixed before. Beside the
features that compare beats with others of their record stand two sets that also tell patients
apart: they are there to be compared with, not to be chosen from.

    python benchmarks/random_forest.py
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd
from _data import find_records
from _results import write_results
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import f1_score, make_scorer
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import Pipeline
from tqdm.auto import tqdm

from ecgclf.datasets import Beats, load_mitbih
from ecgclf.evaluation import beat_report
from ecgclf.transforms import MorphologyFeatures, QRSWidth, RecordRelative, RhythmFeatures

#: The window of the beats, in s.
WINDOW = (0.25, 0.45)

KEYS = ["record", "sample"]

RHYTHM = [
    "rr_prev_over_mean_32",
    "rr_next_over_mean_32",
    "rr_prev_prev_over_mean_32",
    "rr_prev_over_prev_prev",
]

#: What the grid search chooses from: four ratios or all, and how small leaves may be.
GRID = {
    "features__rhythm__features": [RHYTHM, None],
    "forest__min_samples_leaf": [1, 20],
}

#: F1 of the two classes that matter; F and Q are of hardly more than one patient each.
SCORE = make_scorer(f1_score, labels=["S", "V"], average="macro")

N_FOLDS = 5


def widths(*heights: float) -> MorphologyFeatures:
    """Measure the QRS complex at these shares of its height."""
    return MorphologyFeatures(fs=360, before=WINDOW[0], measures=[QRSWidth(heights)])


def make_pipeline(signal: list[str], *beside: tuple) -> Pipeline:
    """Make the pipeline of seven features, and of others beside them.

    Parameters
    ----------
    signal : list of str
        Columns of the samples.
    *beside : tuple
        More entries of the `ColumnTransformer`.
    """
    features = ColumnTransformer(
        [
            ("rhythm", RhythmFeatures(RHYTHM), KEYS),
            ("width", widths(0.5, 0.25), signal),
            ("relative width", RecordRelative(widths(0.5)), [*KEYS, *signal]),
            *beside,
        ]
    )
    return Pipeline([("features", features), ("forest", RandomForestClassifier())])


def load(folder: Path, records: str) -> Beats:
    """Load beats as a frame, from which the pipeline computes all features itself."""
    return load_mitbih(folder, records=records, window=WINDOW, rhythm=False, as_frame=True)


def figures_of(report: object) -> dict:
    """Take what a table shows of a report."""
    f1 = report.per_class["f1"]
    return {"accuracy": report.accuracy, **{f"{label}_f1": float(f1[label]) for label in "SV"}}


def measure(model: Pipeline, train: Beats, test: Beats, seed: int, n_jobs: int) -> dict:
    """Train on DS1 with a seed and report on DS2, with and without record 232."""
    model = clone(model).set_params(forest__random_state=seed, forest__n_jobs=n_jobs)
    predicted = model.fit(train.frame, train.target).predict(test.frame)
    row = {"seed": seed, **figures_of(beat_report(test.target, predicted))}
    rest = test.record != "232"
    report = beat_report(test.target[rest], predicted[rest])
    return row | {f"{name}_without_232": v for name, v in figures_of(report).items()}


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, help="folder of the MIT-BIH records")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--n-jobs", type=int, default=2, help="threads of the forest")
    parser.add_argument("--output", default="random-forest", help="name of the file of results")
    options = parser.parse_args()
    started = time.time()
    folder = find_records(options.data)
    train = load(folder, "ds1")
    signal = list(train.data.columns)

    pipeline = make_pipeline(signal).set_params(
        forest__n_jobs=options.n_jobs, forest__random_state=options.seeds[0]
    )
    search = GridSearchCV(
        clone(pipeline).set_params(forest__n_estimators=50),
        GRID,
        scoring=SCORE,
        cv=GroupKFold(N_FOLDS),
        refit=False,
        verbose=1,
    )
    search.fit(train.frame, train.target, groups=train.groups)
    chosen = {
        name: None if value is None else list(value) if isinstance(value, list) else int(value)
        for name, value in search.best_params_.items()
    }
    print(f"chosen within DS1: {chosen}, S and V F1 {search.best_score_:.3f}")

    absolute = RhythmFeatures(["rr_prev", "rr_next", "rr_prev_prev"], fs=360)
    models = {
        "seven relative features": pipeline,
        "chosen within DS1": clone(pipeline).set_params(**search.best_params_),
        "seven, and RR intervals in s": make_pipeline(signal, ("seconds", absolute, KEYS)),
        "seven, and every sixth sample": make_pipeline(
            signal, ("samples", "passthrough", signal[::6])
        ),
    }
    test = load(folder, "ds2")
    rows = [
        {"features": name, **measure(model, train, test, seed, options.n_jobs)}
        for name, model in tqdm(models.items(), unit="model", disable=None)
        for seed in options.seeds
    ]
    table = pd.DataFrame(rows).drop(columns="seed").groupby("features", sort=False)
    print(pd.concat({"mean": table.mean(), "range": table.agg(np.ptp)}).to_string(
        float_format="{:.3f}".format
    ))  # fmt: skip
    results = {
        "grid_search": {
            "scores": [
                {"parameters": str(parameters), "mean": float(mean), "std": float(std)}
                for parameters, mean, std in zip(
                    search.cv_results_["params"],
                    search.cv_results_["mean_test_score"],
                    search.cv_results_["std_test_score"],
                )
            ],
            "chosen": chosen,
        },
        "ds2": rows,
    }
    file = write_results(options.output, results, seed=options.seeds[0], started=started)
    print(f"\nWritten to {file}.")


if __name__ == "__main__":
    main()
