"""
Train and score one setting of a sweep; ``wandb agent`` starts this program.

In this folder::

    wandb sweep cnn_bayes.yaml
    wandb agent <what the line above says>

Each run is scored on the validation patients of two folds of DS1. DS2 is not looked at. Without
the records, synthetic beats take their place.
"""

import os
import sys

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

import ecgclf
from ecgclf.datasets import get_data_home, load_mitbih, make_beats
from ecgclf.search import run_sweep_trial, sweep_params

network, *arguments = sys.argv[1:]
try:
    beats = load_mitbih(get_data_home() / "mitdb", records="ds1", fs=120)
    beats = beats.select((np.arange(len(beats.target)) % 4 == 0) & (beats.target != "Q"))
except FileNotFoundError:
    beats = make_beats(n_beats=600, n_patients=12, random_state=0)

epochs = int(os.environ.get("ECGCLF_EPOCHS", "10"))
score = run_sweep_trial(
    getattr(ecgclf, network)(max_epochs=epochs, random_state=0, verbose=0),
    sweep_params(arguments),
    beats.data,
    beats.target,
    groups=beats.groups,
    cv=StratifiedGroupKFold(2),
    scoring="f1_macro",
    project="ecgclf",
)
print(f"macro-F1 on validation patients: {score:.3f}")
