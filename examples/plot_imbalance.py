"""
Class weights and oversampling
==============================

Nine of ten beats are normal. This example compares two remedies: class weights in the loss
(``class_weight="balanced"``), and oversampling of rare classes to equal frequency
(imbalanced-learn's ``RandomOverSampler`` in its ``Pipeline``, which resamples only training
beats).

Needs MIT-BIH records, or synthetic beats without them.
"""

# %%
# Train on DS1 and test on DS2, with every twelfth beat of the classes N, S, V and F. Without
# paced patients there are too few Q beats.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from imblearn.over_sampling import RandomOverSampler
from imblearn.pipeline import make_pipeline
from sklearn.base import clone
from sklearn.preprocessing import StandardScaler

from ecgclf import ECGCNNClassifier
from ecgclf.datasets import get_data_home, load_mitbih, make_beats
from ecgclf.evaluation import beat_report

try:
    folder = get_data_home() / "mitdb"
    train, test = (load_mitbih(folder, records=name, fs=120) for name in ("ds1", "ds2"))
except FileNotFoundError:
    weights = (0.89, 0.03, 0.07, 0.01, 0)
    made = make_beats(n_beats=40_000, n_patients=44, weights=weights, random_state=0)
    train, test = made.select(made.groups < 22), made.select(made.groups >= 22)

train, test = (
    beats.select((np.arange(len(beats.target)) % 12 == 0) & (beats.target != "Q"))
    for beats in (train, test)
)
X_train, X_test = (np.column_stack([beats.data, beats.rhythm]) for beats in (train, test))
print(pd.Series(train.target).value_counts().to_dict())

# %%
# Rhythm features, which help with S beats, are appended to the samples. Oversampling makes the
# training set about four times as large, so this network trains a quarter of the epochs, with
# about the same number of steps.

network = ECGCNNClassifier(
    n_tabular=train.rhythm.shape[1], max_epochs=12, random_state=0, verbose=0
)
weighted = clone(network).set_params(class_weight="balanced")
shorter = clone(network).set_params(max_epochs=3)
models = {
    "unweighted": make_pipeline(StandardScaler(), network),
    "class_weight": make_pipeline(StandardScaler(), weighted),
    "RandomOverSampler": make_pipeline(
        StandardScaler(), RandomOverSampler(random_state=0), shorter
    ),
}
reports = {
    name: beat_report(test.target, model.fit(X_train, train.target).predict(X_test))
    for name, model in models.items()
}

# %%
# Sensitivity is the fraction of the beats of a class that are found, positive predictivity the
# fraction of correct predictions of the class.

fig, axes = plt.subplots(1, 2, figsize=(11, 4), sharey=True, layout="constrained")
for ax, figure in zip(axes, ("sensitivity", "positive_predictivity"), strict=True):
    table = pd.DataFrame({name: report.per_class[figure] for name, report in reports.items()})
    table.plot.bar(ax=ax, rot=0, legend=False)
    ax.set(title=figure.replace("_", " "), xlabel="class", ylim=(0, 1))
    ax.grid(axis="y", alpha=0.3)
fig.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=3)

# %%
# Summary:

print(pd.DataFrame({name: report.overall for name, report in reports.items()}).round(3))

# %%
# On the MIT-BIH records, class weights find more S and F beats, at the cost of more misclassified
# normal beats, and increase the macro-F1 slightly. Oversampling mostly leads to overfitting on
# the few S beats and decreases the macro-F1. Neither can replace missing patients. The best
# choice depends on the cost of a missed beat.
