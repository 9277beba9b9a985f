"""Networks and ensembles on the rows of the Kaggle "heartbeat" set.

Networks are trained on the published training rows with the published settings and tested once on
the published test rows. Training and test rows share patients: the figures compare networks and
do not apply to new patients. Our own networks and the members of our ensembles were chosen on
held-out training rows, as the second command shows.

Finished runs are cached, so an interrupted benchmark continues with the missing ones.

    python -m benchmarks.accuracy.kaggle --seeds 0
    python -m benchmarks.accuracy.kaggle --held-out --only small residual
"""

from __future__ import annotations

import time
import warnings
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone
from sklearn.metrics import accuracy_score, f1_score
from tqdm.auto import tqdm

from benchmarks.common.arguments import fraction, make_parser, select_names
from benchmarks.common.data import divide, find_records, part_of
from benchmarks.common.provenance import write_results
from benchmarks.common.runs import fitted, prepare, run, run_each
from benchmarks.models.ours import CANDIDATES, ENSEMBLES, OURS
from benchmarks.models.published import PUBLISHED, PUBLISHED_FIGURES, TRANSFERS
from ecgclf.datasets import Beats, load_kaggle_heartbeat


def make_estimator(name: str, train: Beats, settings: dict[str, Any]) -> BaseEstimator:
    """Return an unfitted estimator by its name in the tables."""
    if name not in TRANSFERS:
        return prepare(clone((PUBLISHED | CANDIDATES)[name]), **settings)
    # The published target, PTB, is not available. The source learns the two commonest classes.
    source, transfer = TRANSFERS[name]
    known = train.select(np.isin(train.target, ["N", "V"]))
    source = fitted(prepare(clone(source), **settings), known.data, known.target)
    return prepare(clone(transfer), **settings).set_params(source=source)


def result_of(
    name: str, seed: int, settings: dict[str, Any], train: Beats, X_test: np.ndarray
) -> dict[str, Any]:
    """Train a network and predict, or return the cached result."""
    with warnings.catch_warnings():
        # Rare classes have too few rows for some folds and neighbourhoods.
        warnings.simplefilter("ignore", UserWarning)
        estimator = make_estimator(name, train, {"seed": seed, **settings})
        return run(estimator, train.data, train.target, X_test)


def figures(name: str, seed: int | None, test: Beats, result: dict) -> dict[str, Any]:
    """Return a row of the table."""
    predicted = result["predicted"]
    return {
        "network": name,
        "seed": seed,
        "accuracy": accuracy_score(test.target, predicted),
        "macro_f1": f1_score(test.target, predicted, average="macro"),
        "parameters": result["parameters"],
        "epochs": result["epochs"],
        "seconds": result["seconds"],
    }


def average(members: list[dict]) -> dict[str, Any]:
    """Average the probabilities of several runs and sum up their costs."""
    mean = np.mean([member["probabilities"] for member in members], axis=0)
    return {
        "predicted": members[0]["classes"][mean.argmax(axis=1)],
        "parameters": sum(member["parameters"] for member in members),
        "epochs": max(member["epochs"] for member in members),
        "seconds": sum(member["seconds"] for member in members),
    }


def main() -> None:
    """Run the benchmark."""
    parser = make_parser(__doc__, seeds=[0], only="networks")
    parser.add_argument(
        "--held-out",
        action="store_true",
        help="compare candidates for our networks on a held-out fifth of the training rows",
    )
    parser.add_argument("--fraction", type=fraction, default=1.0, help="share of the rows to use")
    parser.add_argument("--epochs", type=int, help="maximum number of epochs")
    parser.add_argument("--n-jobs", type=int, help="threads of torch; default: one")
    parser.add_argument("--scheduler", help="address of a Dask scheduler to run on")
    parser.add_argument("--output", help="name of the result file")
    options = parser.parse_args()
    started = time.time()
    records = find_records(options.data)
    train, test = (
        part_of(load_kaggle_heartbeat(records, subset), options.fraction, options.seeds[0])
        for subset in ("train", "test")
    )
    networks, averages, output = [*PUBLISHED, *TRANSFERS, *OURS], ENSEMBLES, "kaggle"
    if options.held_out:
        train, test = divide(train, 0.8, seed=0)
        networks, averages, output = [*CANDIDATES], {}, "kaggle-held-out"
    print(f"{len(train.data):,} training and {len(test.data):,} test rows")

    names = select_names([*networks, *averages], options.only)
    singles = [(name, seed) for name in names if name in networks for seed in options.seeds]
    ensembles = {name: averages[name] for name in names if name in averages}
    needed = dict.fromkeys([*singles, *(run for runs in ensembles.values() for run in runs)])
    settings = {"n_jobs": options.n_jobs, "epochs": options.epochs}
    jobs = [(*member, settings, train, test.data) for member in needed]
    for member, result in zip(needed, run_each(result_of, jobs, options.scheduler, "run")):
        needed[member] = result
        row = figures(*member, test, result)
        tqdm.write(
            f"{row['accuracy']:.4f} {row['macro_f1']:.4f} {row['seconds']:7.1f} s  "
            f"{', seed '.join(map(str, member))}"
        )
    rows = [figures(*member, test, needed[member]) for member in singles]
    for name, members in ensembles.items():
        rows.append(figures(name, None, test, average([needed[run] for run in members])))
    published = pd.DataFrame.from_dict(
        PUBLISHED_FIGURES, orient="index", columns=["published accuracy", "published macro-F1"]
    )
    print(pd.DataFrame(rows).join(published, on="network").to_string(index=False, na_rep=""))
    wrong = np.all([result["predicted"] != test.target for result in needed.values()], axis=0)
    print(f"{wrong.sum():,} of {len(wrong):,} beats are wrong in every run.")
    file = write_results(options.output or output, rows, seed=options.seeds[0], started=started)
    print(f"\nWritten to {file}.")


if __name__ == "__main__":
    main()
