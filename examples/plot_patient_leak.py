"""
Splits by beat and by patient
=============================

The same network is trained and tested on the same beats with two splits. The first splits beats
at random, as in the Kaggle "heartbeat" dataset, so each patient is in both sets. In the second,
each patient is in one set only. The difference is caused by leakage between beats of the same
patient.

Needs MIT-BIH records, or synthetic beats without them.
"""

# %%
# Every eighth beat of all records except those of paced patients, without the few remaining Q
# beats.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.model_selection import GroupShuffleSplit, ShuffleSplit

from ecgclf import ECGCNNClassifier
from ecgclf.datasets import DS1, DS2, get_data_home, load_mitbih, make_beats
from ecgclf.evaluation import beat_report
from ecgclf.plots import ConfusionDisplay

try:
    beats = load_mitbih(get_data_home() / "mitdb", records=[*DS1, *DS2], fs=120)
except FileNotFoundError:
    beats = make_beats(n_beats=60_000, n_patients=44, random_state=0)

beats = beats.select((np.arange(len(beats.target)) % 8 == 0) & (beats.target != "Q"))
print(f"{len(beats.target):,} beats of {len(np.unique(beats.groups))} patients")

# %%
# Half of the beats, or half of the patients, for training and for testing.

by_beat = ShuffleSplit(1, test_size=0.5, random_state=0)
by_patient = GroupShuffleSplit(1, test_size=0.5, random_state=0)
splits = {
    "by beat": next(by_beat.split(beats.data)),
    "by patient": next(by_patient.split(beats.data, groups=beats.groups)),
}
network = ECGCNNClassifier(max_epochs=8, random_state=0, verbose=0)
reports = {}
for name, (train, test) in splits.items():
    known = np.isin(beats.groups[test], beats.groups[train]).mean()
    model = clone(network).fit(beats.data[train], beats.target[train])
    reports[name] = beat_report(
        beats.target[test], model.predict(beats.data[test]), groups=beats.groups[test]
    )
    print(f"Split {name}: {known:.0%} of the test beats are of patients seen in training")

# %%
# Confusion matrices:

fig, axes = plt.subplots(1, 2, figsize=(13, 5.2), layout="compressed")
for ax, (name, report) in zip(axes, reports.items(), strict=True):
    ConfusionDisplay(report.confusion_matrix, display_labels=report.labels).plot(ax=ax)
    ax.set_title(f"split {name}")

# %%
# Summary:

print(pd.DataFrame({name: report.overall for name, report in reports.items()}).round(3))

# %%
# The accuracy hides most of the difference because nine of ten beats are normal. It is visible in
# the macro-F1 and in the rows of S, V and F. Only the split by patient estimates the performance
# on new patients.
