"""Train every published network on real beats and print a table.

The beats are those of the Kaggle "heartbeat" set, with its published training and test rows:
beats of the same patients are on both sides, so the figures compare networks and say nothing
about new patients. A part of the rows and a few epochs show that everything works; all rows
and as many epochs as were published give the figures proper. Finished networks are kept: a
benchmark that was killed goes on where it stood.

    python benchmarks/networks.py --fraction 0.05 --epochs 2
"""

from __future__ import annotations

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from _cluster import each
from _data import find_records, part_of
from _names import asked_for
from _results import write_results
from _runs import fitted, prepare, run
from published_networks import PUBLISHED, TRANSFERS
from sklearn.base import BaseEstimator, clone
from sklearn.metrics import accuracy_score, f1_score
from tqdm.auto import tqdm

from ecgclf.datasets import Beats, load_kaggle_heartbeat
from ecgclf.estimators import BeatEstimator


def with_source(source: BeatEstimator, transfer: BaseEstimator, train: Beats) -> BaseEstimator:
    """Train the source of a transfer on the two commonest beats, and let it learn the rest.

    It stands for another data set: PTB, to which the published transfers went, is not here.
    """
    known = train.select(np.isin(train.target, ["N", "V"]))
    return clone(transfer).set_params(source=fitted(source, known.data, known.target))


def measure(name: str, settings: dict, train: Beats, test: Beats) -> dict:
    """Train one network and return its row of the table."""
    with warnings.catch_warnings():
        # A few rows of a rare class are too few for some folds and neighbourhoods.
        warnings.simplefilter("ignore", UserWarning)
        if name in TRANSFERS:
            source, transfer = TRANSFERS[name]
            estimator = with_source(prepare(clone(source), **settings), transfer, train)
        else:
            estimator = clone(PUBLISHED[name])
        result = run(prepare(estimator, **settings), train.data, train.target, test.data)
    predicted = result["predicted"]
    return {
        "network": name,
        "accuracy": accuracy_score(test.target, predicted),
        "macro_f1": f1_score(test.target, predicted, average="macro"),
        "parameters": result["parameters"],
        "epochs": result["epochs"],
        "seconds": result["seconds"],
    }


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, help="folder of the MIT-BIH records")
    parser.add_argument("--fraction", type=float, default=1.0, help="share of the rows to use")
    parser.add_argument("--epochs", type=int, help="at most so many; default: as published")
    parser.add_argument("--only", nargs="*", help="networks: words of their names")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--n-jobs", type=int, default=-1, help="threads of torch")
    parser.add_argument("--scheduler", help="address of a Dask scheduler to run on")
    parser.add_argument("--output", default="networks", help="name of the file of results")
    options = parser.parse_args()
    if not 0 < options.fraction <= 1:
        parser.error(f"--fraction {options.fraction}: expected more than 0 and at most 1")
    started = time.time()
    records = find_records(options.data)
    train, test = (
        part_of(load_kaggle_heartbeat(records, subset), options.fraction, options.seed)
        for subset in ("train", "test")
    )
    print(f"{len(train.data):,} training and {len(test.data):,} test rows")

    names = asked_for((*PUBLISHED, *TRANSFERS), options.only)
    settings = {"seed": options.seed, "n_jobs": options.n_jobs, "epochs": options.epochs}
    rows = []
    jobs = [(name, settings, train, test) for name in names]
    for newest in each(measure, jobs, options.scheduler, "network"):
        rows.append(newest)
        scores = f"{newest['accuracy']:.4f} {newest['macro_f1']:.4f}"
        tqdm.write(f"{scores} {newest['seconds']:7.1f} s  {newest['network']}")
    table = pd.DataFrame(rows).set_index("network")
    print()
    print(table.to_string(float_format=lambda value: f"{value:.4f}", formatters={
        "parameters": "{:,}".format, "seconds": "{:.1f}".format,
    }))  # fmt: skip
    file = write_results(options.output, rows, seed=options.seed, started=started)
    print(f"\nWritten to {file}.")


if __name__ == "__main__":
    main()
