"""
Twelve leads and several labels
===============================

Recordings of PTB-XL: a network for several labels at once, a report, and the leads that matter.

Needs the extra ``attribution``; records of PTB-XL, or synthetic ones without them.
"""

# %%
# Without the database (`ecgclf.datasets.fetch` downloads it), synthetic recordings in the same
# form are used. Folds 1 to 8 train and fold 10 tests; the folds keep patients apart.

import tempfile
from functools import partial

from ecgclf import ECGResNetClassifier
from ecgclf.augmentation import RandomCrop
from ecgclf.datasets import get_data_home, load_ptbxl, make_ptbxl
from ecgclf.evaluation import integrated_gradients, recording_report
from ecgclf.plots import HistoryDisplay, TwelveLeadDisplay

try:
    recordings = load_ptbxl(get_data_home() / "ptbxl")
except FileNotFoundError:
    with tempfile.TemporaryDirectory() as folder:
        recordings = load_ptbxl(make_ptbxl(folder, n_records=400, random_state=0))

train = recordings.select(recordings.fold < 9)
test = recordings.select(recordings.fold == 10)
print(train.data.shape, train.target.sum(axis=0), train.target_names)

# %%
# The target is an indicator matrix, so the network ends in one sigmoid for each label. It trains
# on random stretches of 2.5 s and stops at the best macro-AUROC of held-out patients.

model = ECGResNetClassifier(
    filters=(16, 32, 48),
    global_pool="avg",
    augment=RandomCrop(n_samples=250),
    early_stopping=True,
    scoring="roc_auc",
    validation_fraction=0.2,
    max_epochs=15,
    batch_size=32,
    random_state=0,
    verbose=0,
)
model.fit(train.data, train.target, groups=train.groups)
HistoryDisplay.from_estimator(model)

# %%
# AUROC and AUPRC of each label on new patients.

report = recording_report(
    test.target,
    model.predict_proba(test.data),
    test.groups,
    classes=test.target_names,
    random_state=0,
)
print(report)

# %%
# A recording with an infarction, with the contribution of each sample to the logit of this label.
# Beside the name of each lead is its share in the sum.

infarction = test.target_names.index("MI")
signal = test.data[test.target[:, infarction] == 1][0]
TwelveLeadDisplay.from_estimator(
    model,
    signal,
    test.fs,
    method=partial(integrated_gradients, target=infarction),
    lead_names=test.leads,
    title="Infarction",
)
