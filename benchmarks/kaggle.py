"""Every network and ensemble on the rows of the Kaggle "heartbeat" set.

Trained on the published training rows with the published settings, tested once on the published
test rows. Beats of the same patients are on both sides: the figures compare networks and say
nothing about new patients. Our own networks, and what our ensembles are made of, were chosen on
a held-out part of the training rows, as the second command shows.

Finished runs are kept, so a benchmark that was killed goes on where it stood.

    python benchmarks/kaggle.py --seeds 0
    python benchmarks/kaggle.py --held-out --only small residual
"""

from __future__ import annotations

import argparse
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from _cluster import each
from _data import divide, find_records
from _names import asked_for
from _results import write_results
from _runs import prepare, run
from our_networks import CANDIDATES, ENSEMBLES, OURS
from published_figures import PUBLISHED_FIGURES
from published_networks import PUBLISHED
from sklearn.base import clone
from sklearn.metrics import accuracy_score, f1_score
from tqdm.auto import tqdm

from ecgclf.datasets import Beats, load_kaggle_heartbeat

#: All that is trained, by the names of the tables.
NETWORKS = PUBLISHED | CANDIDATES


def figures(name: str, seed: int | None, test: Beats, result: dict) -> dict:
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


def result_of(
    name: str, seed: int, settings: dict, train: Beats, X_test: np.ndarray
) -> dict[str, Any]:
    """Train a network and predict, or find what an earlier run has given."""
    estimator = prepare(clone(NETWORKS[name]), seed=seed, **settings)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return run(estimator, train.data, train.target, X_test)


def together(members: list[dict]) -> dict:
    """Average the probabilities of several runs, and add up what they cost."""
    mean = np.mean([member["probabilities"] for member in members], axis=0)
    return {
        "predicted": members[0]["classes"][mean.argmax(axis=1)],
        "parameters": sum(member["parameters"] for member in members),
        "epochs": max(member["epochs"] for member in members),
        "seconds": sum(member["seconds"] for member in members),
    }


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, help="folder of the MIT-BIH records")
    parser.add_argument("--only", nargs="*", help="networks: words of their names")
    parser.add_argument("--seeds", nargs="*", type=int, default=[0])
    parser.add_argument(
        "--held-out",
        action="store_true",
        help="the candidates for our networks, on a fifth of the training rows held out",
    )
    parser.add_argument("--epochs", type=int, help="at most so many; default: as published")
    parser.add_argument("--n-jobs", type=int, help="threads of torch; default: one")
    parser.add_argument("--scheduler", help="address of a Dask scheduler to run on")
    parser.add_argument("--output", help="name of the file of results")
    options = parser.parse_args()
    started = time.time()
    records = find_records(options.data)
    train = load_kaggle_heartbeat(records, "train")
    if options.held_out:
        train, test = divide(train, 0.8, seed=0)
        networks, averages, output = CANDIDATES, {}, "kaggle-held-out"
    else:
        test = load_kaggle_heartbeat(records, "test")
        networks, averages, output = PUBLISHED | OURS, ENSEMBLES, "kaggle"

    names = asked_for([*networks, *averages], options.only)
    singles = [(name, seed) for name in names if name in networks for seed in options.seeds]
    ensembles = {name: averages[name] for name in names if name in averages}
    needed = dict.fromkeys([*singles, *(run for runs in ensembles.values() for run in runs)])
    settings = {"n_jobs": options.n_jobs, "epochs": options.epochs}
    jobs = [(*member, settings, train, test.data) for member in needed]
    for member, result in zip(needed, each(result_of, jobs, options.scheduler, "run")):
        needed[member] = result
        row = figures(*member, test, result)
        tqdm.write(
            f"{row['accuracy']:.4f} {row['macro_f1']:.4f}  {', seed '.join(map(str, member))}"
        )
    rows = [figures(*member, test, needed[member]) for member in singles]
    for name, members in ensembles.items():
        rows.append(figures(name, None, test, together([needed[run] for run in members])))
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
