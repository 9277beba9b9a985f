"""Train every published network on real beats and print a table.

The beats are those of the Kaggle "heartbeat" set, with its published training and test rows:
beats of the same patients are on both sides, so the figures compare networks and say nothing
about new patients. A part of the rows and a few epochs show that everything works; all rows
and as many epochs as were published give the figures proper.

    python benchmarks/networks.py --fraction 0.05 --epochs 2
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from _records import find_records
from _results import write_results
from published_networks import PUBLISHED, TRANSFERS
from sklearn.base import BaseEstimator, clone
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import train_test_split
from tqdm.auto import tqdm

from ecgclf.datasets import Beats, load_kaggle_heartbeat
from ecgclf.estimators import BeatEstimator


def part_of(beats: Beats, fraction: float, seed: int) -> Beats:
    """Take a part of the beats in which every class keeps its share."""
    if fraction == 1.0:
        return beats
    rows, _ = train_test_split(
        np.arange(len(beats.data)), train_size=fraction, stratify=beats.target, random_state=seed
    )
    return beats.select(np.sort(rows))


def networks_in(estimator: BaseEstimator) -> Iterator[BeatEstimator]:
    """Yield the networks inside an estimator: a pipeline or an ensemble has several."""
    if isinstance(estimator, BeatEstimator):
        yield estimator
        return
    for value in estimator.get_params(deep=True).values():
        if isinstance(value, BeatEstimator):
            yield value


def fitted_networks(estimator: BaseEstimator) -> Iterator[BeatEstimator]:
    """Yield the fitted networks inside a fitted estimator."""
    members = getattr(estimator, "estimators_", None)
    yield from (
        network
        for member in (members if members is not None else [estimator])
        for network in networks_in(member)
    )


def prepare(estimator: BaseEstimator, options: argparse.Namespace) -> BaseEstimator:
    """Set what the command line says on every network inside an estimator."""
    for network in networks_in(estimator):
        network.set_params(random_state=options.seed, n_jobs=options.n_jobs, verbose=0)
        if options.epochs is not None:
            network.set_params(max_epochs=min(options.epochs, network.max_epochs))
    return estimator


def with_source(source: BeatEstimator, transfer: BaseEstimator, train: Beats) -> BaseEstimator:
    """Train the source of a transfer on the two commonest beats, and let it learn the rest.

    It stands for another data set: PTB, to which the published transfers went, is not here.
    """
    known = train.select(np.isin(train.target, ["N", "V"]))
    return clone(transfer).set_params(source=source.fit(known.data, known.target))


def measure(name: str, estimator: BaseEstimator, train: Beats, test: Beats) -> dict:
    """Train one network and return its row of the table."""
    start = time.perf_counter()
    estimator.fit(train.data, train.target)
    seconds = time.perf_counter() - start
    predicted = estimator.predict(test.data)
    networks = list(fitted_networks(estimator))
    return {
        "network": name,
        "accuracy": accuracy_score(test.target, predicted),
        "macro_f1": f1_score(test.target, predicted, average="macro"),
        "parameters": sum(
            parameter.numel()
            for network in networks
            for parameter in network.net_.module_.parameters()
        ),
        "epochs": max(network.n_iter_ for network in networks),
        "seconds": seconds,
    }


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, help="folder of the MIT-BIH records")
    parser.add_argument("--fraction", type=float, default=1.0, help="share of the rows to use")
    parser.add_argument("--epochs", type=int, help="at most so many; default: as published")
    parser.add_argument("--only", nargs="*", help="names, or parts of names, of networks")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--n-jobs", type=int, default=-1, help="threads of torch")
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

    names = [
        name
        for name in (*PUBLISHED, *TRANSFERS)
        if not options.only or any(part.lower() in name.lower() for part in options.only)
    ]
    rows = []
    for name in tqdm(names, unit="network", disable=None):
        with warnings.catch_warnings():
            # A few rows of a rare class are too few for some folds and neighbourhoods.
            warnings.simplefilter("ignore", UserWarning)
            if name in TRANSFERS:
                source, transfer = TRANSFERS[name]
                estimator = with_source(prepare(clone(source), options), transfer, train)
            else:
                estimator = clone(PUBLISHED[name])
            rows.append(measure(name, prepare(estimator, options), train, test))
        newest = rows[-1]
        scores = f"{newest['accuracy']:.4f} {newest['macro_f1']:.4f}"
        tqdm.write(f"{scores} {newest['seconds']:7.1f} s  {name}")
    table = pd.DataFrame(rows).set_index("network")
    print()
    print(table.to_string(float_format=lambda value: f"{value:.4f}", formatters={
        "parameters": "{:,}".format, "seconds": "{:.1f}".format,
    }))  # fmt: skip
    file = write_results(options.output, rows, seed=options.seed, started=started)
    print(f"\nWritten to {file}.")


if __name__ == "__main__":
    main()
