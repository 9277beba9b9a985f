"""
Rare classes: weights or resampling
===================================

Nine of ten beats are normal. Two remedies: let each beat of a rare class count more in the
loss (``class_weight="balanced"``), or repeat such beats until all classes are of one size
(imbalanced-learn's ``RandomOverSampler`` in its ``Pipeline``, which resamples the training
beats only, never those that are predicted).
"""

# %%
# Train on DS1, test on DS2, one beat in twelve of each. The classes N, S, V and F; there are
# too few Q beats without paced patients.

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
# Behind the samples stand the rhythm features, which the S beats need. Resampling makes the
# training set about four times as large and gets a quarter of the epochs, so that all three
# networks make about as many steps.

network = ECGCNNClassifier(
    n_tabular=train.rhythm.shape[1], max_epochs=12, random_state=0, verbose=0
)
weighted = clone(network).set_params(class_weight="balanced")
shorter = clone(network).set_params(max_epochs=3)
models = {
    "as they are": make_pipeline(StandardScaler(), network),
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
# Sensitivity is the share of the beats of a class that is found, positive predictivity the
# share of those called so that are right.

fig, axes = plt.subplots(1, 2, figsize=(11, 4), sharey=True, layout="constrained")
for ax, figure in zip(axes, ("sensitivity", "positive_predictivity"), strict=True):
    table = pd.DataFrame({name: report.per_class[figure] for name, report in reports.items()})
    table.plot.bar(ax=ax, rot=0, legend=False)
    ax.set(title=figure.replace("_", " "), xlabel="class", ylim=(0, 1))
    ax.grid(axis="y", alpha=0.3)
fig.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=3)

# %%
# In one table:

print(pd.DataFrame({name: report.overall for name, report in reports.items()}).round(3))

# %%
# On the MIT-BIH records the weights find about twice as many S beats and pay with normal beats
# that are taken for others. Repeating the few S beats mostly teaches the network these beats
# by heart. Neither raises macro-F1: no weight stands in for patients that were not recorded.
# Which of the three is best depends on what a missed beat costs.
