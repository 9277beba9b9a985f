"""
Data augmentation of beats
==========================

Each augmentation of `ecgclf.augmentation`, applied to a normal and a ventricular beat. During
training, every beat is changed differently in every epoch.

Needs nothing but ecgclf; the beats are synthetic.
"""

# %%
# Two synthetic beats of two leads; the plots show the first lead.

import matplotlib.pyplot as plt
import numpy as np
import torch

from ecgclf import ECGCNNClassifier
from ecgclf.augmentation import (
    AmplitudeScaling,
    BaselineWander,
    Compose,
    GaussianNoise,
    LeadDropout,
    TimeShift,
    TimeWarp,
)
from ecgclf.datasets import make_beats

beats = make_beats(n_beats=1500, n_leads=2, n_patients=20, random_state=0)
names = ("N", "V")
chosen = [np.flatnonzero(beats.target == name)[0] for name in names]
signals = torch.from_numpy(beats.data[chosen])

# %%
# With ``p=1`` every beat is changed; the default is 0.5. The strengths are larger than usual for
# training.

augmentations = {
    "GaussianNoise": GaussianNoise(std=0.05, p=1),
    "AmplitudeScaling": AmplitudeScaling(factor=(0.5, 1.5), p=1),
    "BaselineWander": BaselineWander(fs=beats.fs, amplitude=0.5, p=1),
    "TimeWarp": TimeWarp(factor=(0.7, 1.4), center=0.25 / 0.7, p=1),  # keep the R peak in place
    "TimeShift": TimeShift(max_shift=12, p=1),
    "LeadDropout": LeadDropout(rate=0.5, p=1),
}
augmentations["Compose"] = Compose(list(augmentations.values())[:5])

# %%
# The black line is the original beat; each coloured line is one random draw. Lead dropout either
# keeps the first lead or sets it to zero; it never drops both leads.

time = np.arange(signals.shape[2]) / beats.fs - 0.25
generator = torch.Generator().manual_seed(0)
fig, axes = plt.subplots(
    len(augmentations), 2, figsize=(9, 13), sharex=True, sharey="col", layout="constrained"
)
for row, (title, augment) in zip(axes, augmentations.items(), strict=True):
    for draw in range(4):
        changed = augment(signals, generator)
        for ax, beat in zip(row, changed, strict=True):
            ax.plot(time, beat[0], linewidth=1, label=f"draw {draw + 1}")
    for ax, beat, name in zip(row, signals, names, strict=True):
        ax.plot(time, beat[0], color="black", linewidth=1.5, label="original")
        ax.set_title(f"{title}, {name}", fontsize=10)
fig.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=5)
for ax in axes[-1]:
    ax.set_xlabel("time from the R peak (s)")
for ax in axes[:, 0]:
    ax.set_ylabel("amplitude (mV)")

# %%
# Rows padded with zeros
# ----------------------
# The Kaggle rows end in zeros. By default the zeros are preserved, and a beat is changed as if it
# ended where they begin (left). With ``keep_padding=False`` they are treated as signal (right).

padded = signals[:1].clone()
padded[..., 60:] = 0
fig, axes = plt.subplots(1, 2, figsize=(9, 3), sharey=True, layout="constrained")
for ax, keep in zip(axes, (True, False), strict=True):
    augment = Compose(
        [
            TimeShift(max_shift=10, keep_padding=keep, p=1),
            GaussianNoise(std=0.05, keep_padding=keep, p=1),
        ]
    )
    for draw in range(3):
        ax.plot(time, augment(padded, generator)[0, 0], linewidth=1, label=f"draw {draw + 1}")
    ax.plot(time, padded[0, 0], color="black", linewidth=1.5, label="original")
    ax.set(title=f"keep_padding={keep}", xlabel="time from the R peak (s)")
axes[0].set_ylabel("amplitude (mV)")
fig.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=4)

# %%
# Training with augmentation
# --------------------------
# Estimators take augmentations as ``augment``. Predictions are never augmented. The second
# network below is trained with random lead dropout, the first without. Both are then tested on
# beats of new patients, also with a failed lead.

plain = ECGCNNClassifier(batch_size=32, random_state=0, verbose=0)
augmented = ECGCNNClassifier(
    augment=LeadDropout(rate=0.5), batch_size=32, random_state=0, verbose=0
)
new = make_beats(n_beats=1000, n_leads=2, n_patients=20, random_state=1)
working = {"both leads": [1, 1], "first lead": [1, 0], "second lead": [0, 1]}
for name, network in (("plain", plain), ("augmented", augmented)):
    network.fit(beats.data, beats.target)
    for leads, factors in working.items():
        accuracy = network.score(new.data * np.array(factors)[:, None], new.target)
        print(f"{name:9}  {leads:11}  accuracy {accuracy:.3f}")
