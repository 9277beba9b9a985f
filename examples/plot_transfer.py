"""
From beats to twelve leads
==========================

A network of single beats is the start of a network for infarction from twelve leads.

Needs nothing but ecgclf; beats and recordings are synthetic.
"""

# %%
# The source: a network trained on beats of one lead at 100 Hz.

import tempfile

import numpy as np
import pandas as pd
from sklearn.base import clone

from ecgclf import ECGCNNClassifier, ECGTransferClassifier
from ecgclf.datasets import load_ptbxl, make_beats, make_ptbxl
from ecgclf.evaluation import AUROC

beats = make_beats(n_beats=3000, n_patients=30, fs=100, random_state=0)
source = ECGCNNClassifier(max_epochs=8, random_state=0, verbose=0)
source.fit(beats.data, beats.target)

# %%
# Synthetic recordings of twelve leads, infarction or healthy; there are few for training.

with tempfile.TemporaryDirectory() as folder:
    recordings = load_ptbxl(make_ptbxl(folder, n_records=300, random_state=0), task="mi")
train = recordings.select(recordings.fold < 4)
test = recordings.select(recordings.fold >= 4)
print(train.data.shape, test.data.shape)

# %%
# The encoder of the source is applied to each lead. Its layers stay frozen, train from the first
# epoch, or are unfrozen one after another.

scores = {}
transfer = ECGTransferClassifier(
    source=source,
    combine_leads="concatenate",
    dense=(32,),
    lr=3e-3,
    batch_size=16,
    max_epochs=10,
    random_state=0,
    verbose=0,
)
for strategy in ("frozen", "finetune", "gradual"):
    model = clone(transfer).set_params(strategy=strategy).fit(train.data, train.target)
    scores[strategy] = AUROC()(test.target, model.predict_proba(test.data)[:, 1])
scratch = ECGCNNClassifier(lr=3e-3, batch_size=16, max_epochs=10, random_state=0, verbose=0)
scratch.fit(train.data, train.target)
scores["from scratch"] = AUROC()(test.target, scratch.predict_proba(test.data)[:, 1])
print(pd.Series(scores, name="AUROC").round(3).to_string())
print("recordings with infarction:", np.mean(test.target == "infarction").round(2))
