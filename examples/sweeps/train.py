"""
Train and score one setting of a W&B sweep. ``wandb agent`` runs this program.

In this folder::

    wandb sweep cnn_bayes.yaml
    wandb agent <name printed by the first command>

Each run is scored on the validation patients of two folds of DS1. DS2 is not used. Without the
records, the program uses synthetic beats.
"""

from __future__ import annotations

import ast
import os
import sys
from typing import Any

import numpy as np
import wandb
from sklearn.base import clone
from sklearn.metrics import get_scorer
from sklearn.model_selection import StratifiedGroupKFold

import ecgclf
from ecgclf.datasets import Beats, get_data_home, load_mitbih, make_beats
from ecgclf.training import AfterEpoch


def parse_params(arguments: list[str]) -> dict[str, Any]:
    """Parse the parameters that ``wandb agent`` passes as ``--name=value``.

    Values are Python literals or strings. Lists become tuples.
    """
    params: dict[str, Any] = {}
    for argument in arguments:
        name, equals, text = argument.partition("=")
        if not (name.startswith("--") and len(name) > 2 and equals):
            raise ValueError(f"Cannot parse {argument!r}, expected --name=value.")
        if name[2:] in params:
            raise ValueError(f"{name} is given twice.")
        try:
            value = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            value = text
        params[name[2:]] = tuple(value) if isinstance(value, list) else value
    return params


def load_beats() -> Beats:
    """Load a quarter of DS1, or make synthetic beats."""
    try:
        beats = load_mitbih(get_data_home() / "mitdb", records="ds1", fs=120)
    except FileNotFoundError:
        return make_beats(n_beats=600, n_patients=12, random_state=0)
    return beats.select((np.arange(len(beats.target)) % 4 == 0) & (beats.target != "Q"))


def score_folds(estimator: Any, beats: Beats, run: Any) -> float:
    """Cross-validate, log every epoch of the first fold and every fold, and return the mean."""
    X, y, scorer, scores = beats.data, beats.target, get_scorer("f1_macro"), []
    splits = StratifiedGroupKFold(2).split(X, y, beats.groups)
    for fold, (train, test) in enumerate(splits):
        model = clone(estimator)

        def log_epoch(epoch: int, figures: dict[str, float], model=model, test=test) -> None:
            score = scorer(model, X[test], y[test])
            run.log({**figures, "epoch": epoch, "epoch_score": score})

        if fold == 0:
            model.set_params(callbacks=[AfterEpoch(log_epoch)])
        model.fit(X[train], y[train])
        scores.append(scorer(model, X[test], y[test]))
        run.log({"fold": fold, "fold_score": scores[-1]})
    return float(np.mean(scores))


if __name__ == "__main__":
    network, *arguments = sys.argv[1:]
    params = parse_params(arguments)
    epochs = int(os.environ.get("ECGCLF_EPOCHS", "10"))
    estimator = getattr(ecgclf, network)(max_epochs=epochs, random_state=0, verbose=0)
    estimator.set_params(**params)
    with wandb.init(project="ecgclf", config=params) as run:
        score = score_folds(estimator, load_beats(), run)
        run.log({"score": score})
    print(f"macro-F1 on validation patients: {score:.3f}")
