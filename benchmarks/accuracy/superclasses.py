"""The five superclasses of PTB-XL, several at once, from 12 leads and 10 s at 100 Hz.

The published protocol: folds 1 to 8 train, 9 is for choices, 10 tests. On all of PTB-XL the
published macro-AUROC is 0.930 (Strodthoff et al. 2021). Finished trainings are cached, so an
interrupted benchmark continues with the missing ones; the result file is written after each seed.

    python -m benchmarks.accuracy.superclasses
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, clone

from benchmarks.common.arguments import select_names
from benchmarks.common.provenance import write_results
from benchmarks.common.ptbxl import describe, load, make_ptbxl_parser
from benchmarks.common.runs import prepare, run
from benchmarks.models.median_beats import median_beats
from benchmarks.models.twelve_leads import FOREST, NETWORKS, forest
from ecgclf.datasets import RecordingSet
from ecgclf.evaluation import recording_report


def features(recordings: RecordingSet) -> np.ndarray:
    """Every second sample of the median beat of each lead, in mV."""
    _, beats = median_beats(recordings.data, recordings.fs)
    return beats[:, :, ::2].reshape(len(beats), -1)


def scores(model: BaseEstimator, X: np.ndarray, recordings: RecordingSet, seed: int) -> dict:
    """Train on folds 1 to 8 and predict folds 9 and 10."""
    train, test = recordings.fold < 9, recordings.fold >= 9
    model = prepare(clone(model), seed=seed, n_jobs=1)
    return run(model, X[train], recordings.target[train], X[test])


def figures_of(recordings: RecordingSet, score: np.ndarray, fold: int) -> dict[str, Any]:
    """Compute the AUROC and AUPRC of each label with intervals by patient."""
    tested = recordings.select(recordings.fold >= 9)
    part = tested.fold == fold
    report = recording_report(
        tested.target[part],
        score[part],
        tested.groups[part],
        classes=recordings.target_names,
        random_state=0,
    )
    return {"macro": report.macro, "per_class": report.per_class.to_dict("index")}


def main() -> None:
    """Run the benchmark."""
    options = make_ptbxl_parser(__doc__, output="superclasses", only="models").parse_args()
    started = time.time()
    recordings = load(options.ptbxl, "superclass")
    models = {FOREST: forest, **NETWORKS}
    names = select_names(models, options.only)
    found: dict[str, dict[str, Any]] = {name: {"seeds": []} for name in names}
    for seed in options.seeds:
        for name in names:
            X = features(recordings) if name == FOREST else recordings.data
            done = scores(models[name], X, recordings, seed)
            score = np.asarray(done["probabilities"])
            if score.ndim == 3:  # a forest predicts one column for each value of a label
                score = score[:, :, 1].T
            entry = found[name]
            entry["parameters"] = done["parameters"]
            entry["seeds"].append({"seed": seed, "seconds": done["seconds"]})
            for fold in (9, 10):
                entry["seeds"][-1][f"fold_{fold}"] = figures_of(recordings, score, fold)
            print(name, seed, entry["seeds"][-1]["fold_10"]["macro"], flush=True)
        results = {**describe(recordings), "models": found}
        write_results(options.output, results, seed=options.seeds[0], started=started)


if __name__ == "__main__":
    main()
