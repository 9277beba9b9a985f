"""
Voting and stacking
===================

Networks can be members of scikit-learn's ensembles. Soft voting averages probabilities, hard
voting takes the majority, and stacking fits a logistic regression on the outputs of the members.
These outputs must be out-of-fold predictions, with folds by patient; otherwise the regression
favours the member that overfits most.

Needs MIT-BIH records, or synthetic beats without them.
"""

# %%
# Train on some of the DS1 patients and test on the others, with every eighth beat.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import GroupShuffleSplit, StratifiedGroupKFold

from ecgclf import ECGCNNClassifier, ECGMLPClassifier, ECGRNNClassifier
from ecgclf.datasets import get_data_home, load_mitbih, make_beats

try:
    beats = load_mitbih(get_data_home() / "mitdb", records="ds1", fs=120)
    beats = beats.select(slice(None, None, 8))
    beats = beats.select(np.isin(beats.target, ["N", "S", "V"]))
except FileNotFoundError:
    beats = make_beats(n_beats=5000, n_patients=20, random_state=0)
split = GroupShuffleSplit(1, test_size=0.3, random_state=3)
train, test = (beats.select(part) for part in next(split.split(beats.data, groups=beats.groups)))

# %%
# Three members of different types, alone and combined.

quick = {"max_epochs": 6, "random_state": 0, "verbose": 0}
members = [
    ("CNN", ECGCNNClassifier(**quick)),
    ("MLP", ECGMLPClassifier(**quick)),
    ("GRU", ECGRNNClassifier(step_size=8, **quick)),
]
folds = list(StratifiedGroupKFold(3).split(train.data, train.target, train.groups))
models = {
    **dict(members),
    "soft vote": VotingClassifier(members, voting="soft"),
    "hard vote": VotingClassifier(members, voting="hard"),
    "stacking": StackingClassifier(members, LogisticRegression(max_iter=1000), cv=folds),
}
rows = {}
for name, model in models.items():
    predicted = clone(model).fit(train.data, train.target).predict(test.data)
    rows[name] = {
        "accuracy": accuracy_score(test.target, predicted),
        "macro-F1": f1_score(test.target, predicted, average="macro"),
    }
table = pd.DataFrame(rows).T
print(table.round(3))

# %%
# The test set has few patients; another split gives a different ranking.

ax = table.plot.barh(figsize=(7, 3.5), color=["#0072B2", "#E69F00"])
ax.invert_yaxis()
ax.set_xlabel("score on new patients")
ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2, frameon=False)
ax.figure.tight_layout()
plt.show()
