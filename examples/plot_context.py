"""
Beats in the context of their recording
=======================================

A supraventricular beat (S) has almost the shape of a normal one and comes early. A network of
single beats does not see that; `ECGContextClassifier` sees the RR intervals and the other beats
of the recording. Needs matplotlib; runs in less than half a minute.
"""

# %%
# Synthetic beats of 40 patients, of whom ten are held out. A row is a beat; two columns are its
# record and its position.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import recall_score
from sklearn.model_selection import GroupShuffleSplit

from ecgclf import ECGCNNClassifier, ECGContextClassifier
from ecgclf.datasets import make_beats

beats = make_beats(n_beats=6000, n_patients=40, random_state=0)
X = beats.frame.drop(columns=["target", *beats.rhythm_names])
y = np.asarray(beats.target)
split = GroupShuffleSplit(1, test_size=0.25, random_state=0)
train, test = next(split.split(X, y, beats.groups))
print(X.iloc[:3, :4])

# %%
# The same beats, alone and in context.

alone = ECGCNNClassifier(max_epochs=6, random_state=0, verbose=0)
alone.fit(beats.data[train], y[train])
in_context = ECGContextClassifier(
    record="record",
    sample="sample",
    context=48,
    batch_size=384,
    max_epochs=12,
    random_state=0,
    verbose=0,
)
in_context.fit(X.iloc[train], y[train])

predicted = {
    "single beats": alone.predict(beats.data[test]),
    "beats in context": in_context.predict(X.iloc[test]),
}

# %%
# Sensitivity for the beats of the held-out patients. Real recordings are harder: the user guide
# has the results on new patients.

labels = list(beats.target_names)
place = np.arange(len(labels))
fig, ax = plt.subplots(figsize=(6, 3), layout="constrained")
for i, (name, labels_found) in enumerate(predicted.items()):
    sensitivity = recall_score(y[test], labels_found, labels=labels, average=None)
    bars = ax.bar(place + 0.4 * (i - 0.5), 100 * sensitivity, width=0.38, label=name)
    ax.bar_label(bars, fmt="%.0f", padding=2, fontsize=8)
ax.set(xticks=place, xticklabels=labels, xlabel="class", ylabel="sensitivity (%)", ylim=(0, 125))
ax.legend(loc="upper center", ncols=2, frameon=False)

# %%
# The beats around a supraventricular one: it comes early, and the network has no need to know its
# shape.

record = X["record"].iloc[test].to_numpy()
position = X["sample"].iloc[test].to_numpy() / beats.fs
at = np.flatnonzero(y[test] == "S")[3]
near = np.flatnonzero((record == record[at]) & (np.abs(position - position[at]) < 6))
near = near[np.argsort(position[near])]
fig, ax = plt.subplots(figsize=(6, 2.5), layout="constrained")
ax.plot(position[near][1:], 1000 * np.diff(position[near]), "o-", color="0.5", markersize=4)
for beat, rr in zip(near[1:], 1000 * np.diff(position[near])):
    label = predicted["beats in context"][beat]
    ax.annotate(label, (position[beat], rr), (0, 6), textcoords="offset points", ha="center")
ax.set(xlabel="time (s)", ylabel="RR interval before (ms)")
ax.margins(y=0.25)
