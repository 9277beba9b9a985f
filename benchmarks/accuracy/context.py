"""Beats in the context of their recording, tested on unseen patients.

`ECGContextClassifier` is trained on both leads of DS1, or of DS1 and svdb, and tested on DS2; and
on folds of the patients of svdb, each tested by a network trained on DS1 and the other folds. All
choices were made by cross-validation over the patients of DS1 and svdb. Figures are those of the
first lead, and of the mean log-probability of both leads, from annotated R peaks and from those
that `Recording.detect_r_peaks` finds. Intervals are over patients. "adaptive" also trains on the
labelled first five minutes of the records of DS2, and is tested on the rest.

Finished trainings are cached, so an interrupted benchmark continues with the missing ones.

    python -m benchmarks.accuracy.context
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from sklearn.metrics import f1_score
from sklearn.model_selection import GroupKFold
from tqdm.auto import tqdm

from benchmarks.accuracy.interpatient import METRICS, line_of
from benchmarks.common.arguments import make_parser, select_names
from benchmarks.common.data import find_records
from benchmarks.common.provenance import write_results
from benchmarks.common.runs import fitted
from benchmarks.models.context_models import (
    Compared,
    Leads,
    average_leads,
    compare_detected,
    load_leads,
    log_probabilities,
    make_network,
)
from ecgclf import ECGContextClassifier
from ecgclf.datasets import DS1, DS2
from ecgclf.evaluation import patient_intervals

N_FOLDS = 5

#: Passes over DS1 alone, in about as many steps as over DS1 and svdb.
DS1_EPOCHS = 24

#: Learning period of a patient-adaptive network in s.
LEARNING = 300.0

#: Leads by their name in the tables.
LEADS = {"first lead": (0,), "both leads": (0, 1)}

#: Smallest number of beats of a class for the F1 of one patient.
FEWEST = 10


@dataclass(frozen=True)
class Folders:
    """Folders of the databases."""

    mitdb: Path
    svdb: Path

    @property
    def svdb_names(self) -> list[str]:
        """Names of the records of svdb."""
        return sorted(file.stem for file in self.svdb.glob("*.hea"))


@cache
def leads_of(folder: Path, names: tuple[str, ...]) -> Leads:
    """Load records, once."""
    return load_leads(folder, names)


def train(parts: Sequence[Leads], seed: int, **changes: Any) -> ECGContextClassifier:
    """Train the network, or return the cached one."""
    leads = Leads.concat(parts)
    return fitted(make_network(seed, **changes), leads.frame, leads.target)


def figures_of(compared: Compared) -> dict[str, Any]:
    """Compute all figures with their intervals over patients."""
    table = patient_intervals(
        compared.y_true, compared.y_pred, compared.patient, METRICS, random_state=0
    )
    return table.drop(columns="defined").round(4).to_dict("index")


def medians_of(compared: Compared) -> dict[str, Any]:
    """Compute the median F1 of the patients with enough beats of the class."""
    medians = {}
    for label in "SV":
        true, pred = compared.y_true == label, compared.y_pred == label
        patients, counts = np.unique(compared.patient[true], return_counts=True)
        own = [compared.patient == name for name in patients[counts >= FEWEST]]
        scores = [f1_score(true[rows], pred[rows]) for rows in own]
        medians[label] = {"median_f1": round(float(np.median(scores)), 4), "patients": len(own)}
    return medians


def rows_of(compared: Compared, **facts: Any) -> list[dict[str, Any]]:
    """Describe one comparison, and the same without record 232."""
    row = {**facts, "figures": figures_of(compared), "patients": medians_of(compared)}
    without = compared.name != "232"
    if not without.all():
        rest = Compared(*(array[without] for array in vars(compared).values()))
        row["without_232"] = figures_of(rest)
    tqdm.write(
        f"{line_of(row['figures'])}  {facts['train']} -> {facts['test']}, {facts['leads']}, "
        f"{facts['beats']}, seed {facts['seed']}"
    )
    return [row]


def annotated(test: Leads, logits: NDArray, classes: NDArray, leads: Sequence[int]) -> Compared:
    """Compare the predictions of annotated beats."""
    first = test.lead == 0
    labels = classes[average_leads(logits, test.lead, leads).argmax(axis=1)]
    return Compared(test.target[first], labels, test.name[first], test.patient[first])


def ensemble(models: Sequence[ECGContextClassifier], frame: pd.DataFrame) -> NDArray:
    """Average the log-probabilities of models."""
    return np.mean([log_probabilities(model, frame) for model in models], axis=0)


def label_detected(
    models: Sequence[ECGContextClassifier], frame: pd.DataFrame, lead: NDArray
) -> NDArray:
    """Predict the label of each beat from all its leads."""
    logits = average_leads(ensemble(models, frame), lead, np.unique(lead))
    return models[0].classes_[logits.argmax(axis=1)]


def test_on(
    folder: Path,
    names: tuple[str, ...],
    models: dict[str, list[ECGContextClassifier]],
    **facts: str,
) -> list[dict[str, Any]]:
    """Test networks on records they have not seen; several networks are an ensemble."""
    test, rows = leads_of(folder, names), []
    for seed, members in models.items():
        logits = ensemble(members, test.frame)
        for which, leads in LEADS.items():
            about = {**facts, "leads": which, "seed": seed}
            compared = annotated(test, logits, members[0].classes_, leads)
            rows += rows_of(compared, beats="annotated", **about)
            predict = partial(label_detected, members)
            compared = compare_detected(folder, names, leads, predict)
            rows += rows_of(compared, beats="detected", **about)
    return rows


def by_seed(
    seeds: Sequence[int], make: Callable[[int], ECGContextClassifier]
) -> dict[str, list[ECGContextClassifier]]:
    """Train a network with each seed; the last entry is the ensemble of all."""
    models = {str(seed): [make(seed)] for seed in seeds}
    if len(seeds) > 1:
        models["mean of all"] = [model for (model,) in models.values()]
    return models


def from_ds1(folders: Folders, seeds: Sequence[int]) -> list[dict[str, Any]]:
    """Train on DS1 and test on DS2."""
    parts = [leads_of(folders.mitdb, DS1)]
    models = by_seed(seeds, lambda seed: train(parts, seed, max_epochs=DS1_EPOCHS))
    return test_on(folders.mitdb, DS2, models, train="DS1", test="DS2")


def from_both(folders: Folders, seeds: Sequence[int]) -> list[dict[str, Any]]:
    """Train on DS1 and svdb and test on DS2."""
    parts = [leads_of(folders.mitdb, DS1), leads_of(folders.svdb, tuple(folders.svdb_names))]
    models = by_seed(seeds, lambda seed: train(parts, seed))
    return test_on(folders.mitdb, DS2, models, train="DS1 + svdb", test="DS2")


def folds_of_svdb(
    folders: Folders, seed: int
) -> Iterator[tuple[ECGContextClassifier, tuple[str, ...]]]:
    """Train on DS1 and svdb without one fold; yield the network and the records of the fold."""
    names = np.array(folders.svdb_names)
    first = leads_of(folders.mitdb, DS1)
    for rest, held in GroupKFold(N_FOLDS).split(names, groups=names):
        model = train([first, leads_of(folders.svdb, tuple(names[rest]))], seed)
        yield model, tuple(names[held])


def within_svdb(folders: Folders, seeds: Sequence[int]) -> list[dict[str, Any]]:
    """Test each fold of svdb by a network trained on DS1 and the other folds."""
    rows = []
    for seed in seeds:
        found: dict[tuple[str, str], list[Compared]] = {}
        for model, held in folds_of_svdb(folders, seed):
            test = leads_of(folders.svdb, held)
            logits = log_probabilities(model, test.frame)
            predict = partial(label_detected, [model])
            for which, leads in LEADS.items():
                for beats, compared in {
                    "annotated": annotated(test, logits, model.classes_, leads),
                    "detected": compare_detected(folders.svdb, held, leads, predict),
                }.items():
                    found.setdefault((which, beats), []).append(compared)
        for (which, beats), parts in found.items():
            arrays = [np.concatenate(both) for both in zip(*(vars(p).values() for p in parts))]
            facts = {"leads": which, "beats": beats, "seed": str(seed)}
            rows += rows_of(Compared(*arrays), train="DS1 + svdb", test="svdb, 5 folds", **facts)
    return rows


def fit_temperature(folders: Folders, seed: int) -> float:
    """Fit the temperature of the logits to the held-out folds of svdb, first lead.

    It minimises the log loss (Guo et al. 2017, arXiv:1706.04599).
    """
    logits, target = [], []
    for model, held in folds_of_svdb(folders, seed):
        test = leads_of(folders.svdb, held)
        first = test.select(test.lead == 0)
        logits.append(log_probabilities(model, first.frame))
        target.append(np.searchsorted(model.classes_, first.target))
    z, y = np.concatenate(logits), np.concatenate(target)
    return float(
        minimize_scalar(
            lambda t: -np.mean(log_softmax(z / t, axis=1)[np.arange(len(y)), y]),
            bounds=(0.2, 5.0),
            method="bounded",
        ).x
    )


def adaptive(folders: Folders, seeds: Sequence[int]) -> list[dict[str, Any]]:
    """Train on DS1, svdb and the first five minutes of DS2, and test on the rest of DS2."""
    test, rows = leads_of(folders.mitdb, DS2), []
    early = (test.frame["sample"] < LEARNING).to_numpy()
    parts = [
        leads_of(folders.mitdb, DS1),
        leads_of(folders.svdb, tuple(folders.svdb_names)),
        test.select(early),
    ]
    for seed, members in by_seed(seeds, lambda seed: train(parts, seed)).items():
        logits = ensemble(members, test.frame)[~early]
        for which, leads in LEADS.items():
            compared = annotated(test.select(~early), logits, members[0].classes_, leads)
            facts = {"leads": which, "beats": "annotated", "seed": seed}
            rows += rows_of(
                compared, train="DS1 + svdb + five minutes", test="DS2, from minute 5", **facts
            )
    return rows


EXPERIMENTS = {"both": from_both, "ds1": from_ds1, "svdb": within_svdb, "adaptive": adaptive}


def main() -> None:
    """Run the benchmark."""
    parser = make_parser(__doc__, output="context", seeds=[0, 1, 2], only="experiments")
    parser.add_argument("--svdb", type=Path, help="folder of the svdb records")
    options = parser.parse_args()
    started = time.time()
    mitdb = find_records(options.data)
    folders = Folders(mitdb, options.svdb or mitdb.with_name("svdb"))
    rows = []
    for name in tqdm(select_names(EXPERIMENTS, options.only), unit="experiment", disable=None):
        rows += EXPERIMENTS[name](folders, options.seeds)
        write_results(options.output, rows, seed=options.seeds[0], started=started)


if __name__ == "__main__":
    main()
