"""
Comparison of two models
========================

Does a network with rhythm features perform better than one with single beats? The comparison
uses test patients that are not in the training set, the statistics of ANSI/AAMI EC57, intervals
over patients, and the paired difference on the same patients.
"""

# %%
# Train on DS1 and test on DS2 without record 202, whose patient is in DS1. Every eighth beat is
# used, except for class Q, which has too few beats.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ecgclf import ECGCNNClassifier
from ecgclf.datasets import DS1, DS2, get_data_home, load_mitbih, make_beats
from ecgclf.evaluation import (
    PositivePredictivity,
    Sensitivity,
    audit_split,
    compare_models,
    ec57_report,
    figures_without,
    mcnemar_test,
    patient_intervals,
)

try:
    records = [*DS1, *(name for name in DS2 if name != "202")]
    beats = load_mitbih(get_data_home() / "mitdb", records=records, fs=120)
    is_train = np.isin(beats.record, DS1)
except FileNotFoundError:
    weights = (0.89, 0.03, 0.07, 0.01, 0)
    beats = make_beats(n_beats=50_000, n_patients=43, weights=weights, random_state=0)
    is_train = beats.groups < 22

some = (np.arange(len(beats.target)) % 8 == 0) & (beats.target != "Q")
beats, is_train = beats.select(some), is_train[some]
train, test = beats.select(is_train), beats.select(~is_train)
print(audit_split(beats, is_train, ~is_train))

# %%
# Two networks that differ only in the rhythm features.

n_rhythm = beats.rhythm.shape[1]
settings = {"class_weight": "balanced", "max_epochs": 6, "random_state": 0, "verbose": 0}
models = {
    "beat only": (ECGCNNClassifier(**settings), lambda b: b.data),
    "with rhythm": (
        ECGCNNClassifier(n_tabular=n_rhythm, **settings),
        lambda b: np.column_stack([b.data, b.rhythm]),
    ),
}
predicted = {}
for name, (network, of_beats) in models.items():
    model = make_pipeline(StandardScaler(), network).fit(of_beats(train), train.target)
    predicted[name] = model.predict(of_beats(test))

# %%
# EC57 report of the second network:

print(ec57_report(test.target, predicted["with rhythm"], test.record))

# %%
# 95% intervals by resampling patients. A fusion beat classified as V is not a false positive, as
# in the report.

figures = [
    Sensitivity("S"),
    PositivePredictivity("S"),
    Sensitivity("V"),
    PositivePredictivity("V", not_counted="F"),
]
fig, ax = plt.subplots(figsize=(8, 4), layout="constrained")
for shift, (name, y_pred) in zip((-0.1, 0.1), predicted.items()):
    table = patient_intervals(test.target, y_pred, test.groups, figures, random_state=0)
    rows = np.arange(len(table)) + shift
    (points,) = ax.plot(table["estimate"], rows, "o", label=name)
    ax.hlines(rows, table["low"], table["high"], color=points.get_color())
ax.set(yticks=range(len(table)), yticklabels=table.index, xlim=(0, 1), xlabel="95% interval")
ax.invert_yaxis()
fig.legend(loc="outside upper center", ncols=2)

# %%
# Overlapping intervals do not imply that there is no difference, because both networks are tested
# on the same patients. The difference has its own interval. If it contains 0, the result is
# inconclusive.

beat_only, with_rhythm = predicted.values()
print(
    compare_models(
        test.target, beat_only, with_rhythm, test.groups, figures, random_state=0
    ).round(3)
)

# %%
# McNemar's test treats thousands of beats as independent and reports a significant difference:

print(mcnemar_test(test.target, beat_only, with_rhythm))

# %%
# Results without the record that contains most of the S beats:

names, counts = np.unique(test.record[test.target == "S"], return_counts=True)
most = names[counts.argmax()]
print(f"Record {most} has {counts.max() / counts.sum():.0%} of the S beats.")
print(figures_without(test.target, with_rhythm, test.record, [most], figures).round(3))
