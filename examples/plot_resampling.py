"""
Resampling methods and leakage
==============================

Oversampling, oversampling with augmentation, and SMOTE: the generated beats, and the leakage
that occurs when resampling precedes the split. :ref:`sphx_glr_gallery_plot_imbalance.py` shows
the effect of resampling on a network.

Needs nothing but ecgclf; the beats are synthetic.
"""

# %%
# Synthetic beats of eight patients, nine of ten of them normal.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from imblearn.pipeline import make_pipeline
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, cross_val_predict
from sklearn.neighbors import KNeighborsClassifier

from ecgclf.augmentation import AmplitudeScaling, BaselineWander, Compose
from ecgclf.datasets import make_beats
from ecgclf.sampling import BeatOverSampler, BeatSMOTE

weights = (0.9, 0.04, 0.04, 0.02, 0)
beats = make_beats(n_beats=1600, n_patients=8, weights=weights, noise=0.03, random_state=0)
print(pd.Series(beats.target).value_counts().to_dict())

# %%
# Four ways to generate a thousand V beats. ``carry`` returns the index of the original beat of
# each new one, for patients, weights and other features.

augment = Compose([AmplitudeScaling(p=1.0), BaselineWander(fs=beats.fs, amplitude=0.3, p=1.0)])
V = {"sampling_strategy": {"V": 1000}, "random_state": 0}
samplers = {
    "oversampling": (BeatOverSampler(**V), {}),
    "oversampling, augmented": (BeatOverSampler(augment=augment, **V), {}),
    "SMOTE": (BeatSMOTE(k_neighbors=50, **V), {}),
    "SMOTE within patients": (BeatSMOTE(k_neighbors=3, **V), {"groups": beats.groups}),
}

# %%
# Black: an original beat; colour: beats generated from it. SMOTE with many neighbours
# interpolates between beats of different patients, which gives unrealistic beats. With ``groups``
# it interpolates within a patient.

parent = np.flatnonzero((beats.target == "V") & (beats.groups == 3))[0]
time = np.arange(beats.data.shape[1]) / beats.fs - 0.25
fig, axes = plt.subplots(1, 4, figsize=(13, 3.4), sharey=True, layout="constrained")
for i, (ax, (name, (sampler, patients))) in enumerate(zip(axes, samplers.items(), strict=True)):
    X, y = sampler.fit_resample(beats.data, beats.target, **patients)
    made = np.flatnonzero(sampler.carry(np.arange(len(beats.data))) == parent)[1:]
    ax.plot(time, X[made[:15]].T, color=f"C{i}", alpha=0.6, linewidth=1)
    ax.plot(time, beats.data[parent], color="black")
    ax.set(title=name, xlabel="time from the R peak (s)")
axes[0].set_ylabel("amplitude (mV)")

# %%
# Effect of the order. A classifier that returns the class of the most similar beat is tested in
# three ways.

nearest = KNeighborsClassifier(1)
sampler = BeatOverSampler(random_state=0)
by_beat = StratifiedKFold(4, shuffle=True, random_state=0)
by_patient = StratifiedGroupKFold(4, shuffle=True, random_state=0)

X, y = sampler.fit_resample(beats.data, beats.target)
pipeline = make_pipeline(sampler, nearest)
predicted = {
    "resample, then split": (y, cross_val_predict(nearest, X, y, cv=by_beat)),
    "split by beat, then resample": (
        beats.target,
        cross_val_predict(pipeline, beats.data, beats.target, cv=by_beat),
    ),
    "split by patient, then resample": (
        beats.target,
        cross_val_predict(pipeline, beats.data, beats.target, cv=by_patient, groups=beats.groups),
    ),
}
classes = ["N", "S", "V", "F"]
table = pd.DataFrame(
    {name: f1_score(*both, labels=classes, average=None) for name, both in predicted.items()},
    index=classes,
)
print(table.T.round(3))

# %%
fig, ax = plt.subplots(figsize=(8, 3.8), layout="constrained")
table.plot.bar(ax=ax, rot=0, legend=False)
ax.set(xlabel="class", ylabel="F1", ylim=(0, 1))
ax.grid(axis="y", alpha=0.3)
fig.legend(loc="outside lower center", ncols=3)

# %%
# If resampling precedes the split, copies of the test beats of rare classes are in the training
# set, and the score is too high. In the right order, in a pipeline that resamples the training
# beats of each fold, the score of the same classifier is lower, and with folds by patient much
# lower.
