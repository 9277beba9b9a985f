"""Transfer from arrhythmia in MIT-BIH to infarction in PTB."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.metrics import accuracy_score, roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
from tqdm.auto import tqdm

from benchmarks.common.runs import fitted, run
from benchmarks.models.own_beats import FS, WINDOW
from ecgclf import ECGTransferClassifier
from ecgclf.datasets import Beats, get_data_home, load_kaggle_heartbeat, load_mitbih, load_ptbdb

#: Minimum number of patients with each diagnosis.
N_NEEDED = 20

N_FOLDS = 5

#: One in `N_THINNED` beats of MIT-BIH is used to train the source.
N_THINNED = 5

STRATEGIES = ("frozen", "gradual", "finetune")


def transfer_to_ptb(
    given: Path | None, mitbih: Path, network: BaseEstimator, seeds: list[int]
) -> list[dict] | str:
    """Compare transfers with a network trained from scratch, if data are available.

    Returns
    -------
    list of dict, or str
        A row for each model and seed, or a message about missing data.
    """
    beats, missing = find_ptb(given)
    if beats is None:
        print(f"PTB is skipped: {missing}")
        return missing
    source_beats = beats_of_source(mitbih, from_csv=beats.groups is None)
    rows = []
    for seed in tqdm(seeds, unit="seed", desc="PTB", disable=None):
        new = clone(network).set_params(random_state=seed, n_tabular=0)
        source = fitted(new, source_beats.data, source_beats.target)
        models = {"from scratch": clone(new)} | {
            strategy: ECGTransferClassifier(
                source=source,
                strategy=strategy,
                dense=(32,),
                lr=3e-3,
                random_state=seed,
                n_jobs=1,
                verbose=0,
            )
            for strategy in STRATEGIES
        }
        for name, model in models.items():
            rows.append({"model": name, "seed": seed, **cross_validated(model, beats, seed)})
    return rows


def cross_validated(model: BaseEstimator, beats: Beats, seed: int) -> dict:
    """Cross-validate over patients if they are known, otherwise over beats."""
    known = beats.groups is not None
    folds = (StratifiedGroupKFold if known else StratifiedKFold)(
        N_FOLDS, shuffle=True, random_state=seed
    )
    score = np.zeros(len(beats.target))
    for train, test in folds.split(beats.data, beats.target, beats.groups):
        found = run(clone(model), beats.data[train], beats.target[train], beats.data[test])
        column = found["classes"].tolist().index("infarction")
        score[test] = found["probabilities"][:, column]
    ill = beats.target == "infarction"
    return {
        "between_patients": known,
        "accuracy": float(accuracy_score(ill, score > 0.5)),
        "auroc": float(roc_auc_score(ill, score)),
    }


def find_ptb(given: Path | None) -> tuple[Beats | None, str]:
    """Load PTB with the windows of the source, or return what is missing."""
    folder = given or get_data_home() / "ptbdb"
    needed = (
        f"records of at least {N_NEEDED} patients with each diagnosis, or the two CSV files of "
        "the Kaggle set are needed. Download the records with ecgclf.datasets.fetch_ptbdb(), or "
        "pass the folder as --ptb."
    )
    if not folder.is_dir():
        return None, f"there is no folder {folder}; {needed}"
    if not any(folder.rglob("*.hea")) and not (folder / "ptbdb_normal.csv").is_file():
        return None, f"{folder} has no records and no CSV files; {needed}"
    from_records = any(folder.rglob("*.hea"))
    beats = load_ptbdb(folder, fs=FS, window=WINDOW) if from_records else load_ptbdb(folder)
    if from_records:
        counts = {
            label: len(np.unique(beats.groups[beats.target == label]))
            for label in ("healthy", "infarction")
        }
        if min(counts.values()) < N_NEEDED:
            found = ", ".join(f"{count} with {label}" for label, count in counts.items())
            return None, f"{folder} has too few patients ({found}); {needed}"
    return beats, ""


def beats_of_source(folder: Path, *, from_csv: bool) -> Beats:
    """Load beats of MIT-BIH with the windows of PTB."""
    if from_csv:
        beats = load_kaggle_heartbeat(folder, "train")
    else:
        beats = load_mitbih(folder, records="ds1", fs=FS, window=WINDOW)
    return beats.select(np.arange(len(beats.target)) % N_THINNED == 0)
