"""
The same network, split by beat and split by patient
====================================================

One network, trained and tested twice on the same beats. In the first split the beats of each
patient are dealt out to both sides at random, as in the Kaggle "heartbeat" set; in the second
every patient is on one side only. The difference is what it helps to have met a patient.
"""

# %%
# One beat in eight of all records without those of paced patients, without the few Q beats
# that are left.

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
# Half of the beats against the other half; half of the patients against the other half.

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
# Which classes are taken for which:

fig, axes = plt.subplots(1, 2, figsize=(13, 5.2), layout="compressed")
for ax, (name, report) in zip(axes, reports.items(), strict=True):
    ConfusionDisplay(report.confusion_matrix, display_labels=report.labels).plot(ax=ax)
    ax.set_title(f"split {name}")

# %%
# And in figures:

print(pd.DataFrame({name: report.overall for name, report in reports.items()}).round(3))

# %%
# Accuracy hides most of the difference, because nine in ten beats are normal whoever the
# patient is; macro-F1 and the rows of S, V and F show it. Only the split by patient tells
# what to expect of the next one.
