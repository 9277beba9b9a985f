"""Random forest on few features of rhythm and shape, trained on DS1 and tested on DS2.

One pipeline maps beat positions and signals to labels. Its parameters are chosen within DS1 by
a grid search with folds of patients. DS2 is predicted once, with fixed parameters. Two further
feature sets contain absolute features, which identify patients; they serve as a comparison.

    python -m benchmarks.accuracy.random_forest
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import f1_score, make_scorer
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import Pipeline
from tqdm.auto import tqdm

from benchmarks.common.arguments import make_parser
from benchmarks.common.data import find_records
from benchmarks.common.provenance import write_results
from benchmarks.models.interpatient_models import FOUR_RATIOS, KEYS
from ecgclf.datasets import Beats, load_mitbih
from ecgclf.evaluation import beat_report
from ecgclf.transforms import MorphologyFeatures, QRSWidth, RecordRelative, RhythmFeatures

#: Window of the beats in s.
WINDOW = (0.25, 0.45)

#: Parameter grid: four ratios of RR intervals or all, and the minimum size of leaves.
GRID = {
    "features__rhythm__features": [FOUR_RATIOS, None],
    "forest__min_samples_leaf": [1, 20],
}

#: Mean F1 of S and V. Almost all F and Q beats are of one patient each.
SCORE = make_scorer(f1_score, labels=["S", "V"], average="macro")

N_FOLDS = 5


def widths(*heights: float) -> MorphologyFeatures:
    """Make features of the QRS width at these fractions of its height."""
    return MorphologyFeatures(fs=360, before=WINDOW[0], measures=[QRSWidth(heights)])


def make_pipeline(signal: list[str], *others: tuple) -> Pipeline:
    """Make the pipeline of seven features and optional further ones.

    Parameters
    ----------
    signal : list of str
        Columns of the samples.
    *others : tuple
        Further entries of the `ColumnTransformer`.
    """
    features = ColumnTransformer(
        [
            ("rhythm", RhythmFeatures(FOUR_RATIOS), KEYS),
            ("width", widths(0.5, 0.25), signal),
            ("relative width", RecordRelative(widths(0.5)), [*KEYS, *signal]),
            *others,
        ]
    )
    return Pipeline([("features", features), ("forest", RandomForestClassifier())])


def load(folder: Path, records: str) -> Beats:
    """Load beats as a data frame without rhythm features."""
    return load_mitbih(folder, records=records, window=WINDOW, rhythm=False, as_frame=True)


def figures_of(report: object) -> dict:
    """Return the figures of the table."""
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
    parser = make_parser(__doc__, output="random-forest", seeds=[0, 1, 2])
    parser.add_argument("--n-jobs", type=int, default=2, help="threads of the forest")
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
