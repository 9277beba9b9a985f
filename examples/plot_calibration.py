"""
Probabilities that come true, and sets of classes
=================================================

A network that has learned its patients by heart is sure of strangers, too. Two remedies around
the same network: one number that makes it less sure, and sets of classes in place of a single
one. For both it matters whose beats they are fitted on.
"""

# %%
# Train on DS1, test on DS2, one beat in eight of each. The classes N, S and V: nearly all F beats
# are of two patients, and there are hardly any Q beats. Two rhythm features, which the S beats
# need, stand behind the samples.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.metrics import brier_score_loss
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from ecgclf import ECGCNNClassifier
from ecgclf.datasets import get_data_home, load_mitbih, make_beats
from ecgclf.estimators import ConformalClassifier
from ecgclf.evaluation import coverage_table, expected_calibration_error, reliability_table
from ecgclf.plots import ReliabilityDisplay

try:
    folder = get_data_home() / "mitdb"
    train, test = (
        load_mitbih(folder, records=name, fs=120, as_frame=True) for name in ("ds1", "ds2")
    )
except FileNotFoundError:
    weights = (0.89, 0.04, 0.07, 0, 0)
    made = make_beats(
        n_beats=60_000, n_patients=44, weights=weights, random_state=0, as_frame=True
    )
    train, test = made.select(made.groups < 22), made.select(made.groups >= 22)

train, test = (
    beats.select((np.arange(len(beats.target)) % 8 == 0) & np.isin(beats.target, ["N", "S", "V"]))
    for beats in (train, test)
)
columns = [*train.data.columns, "rr_prev_over_mean_32", "rr_next_over_mean_32"]
X_train, X_test = train.frame[columns], test.frame[columns]
print(train.target.value_counts().to_dict(), test.target.value_counts().to_dict())

# %%
# Temperature scaling divides the logits by one number, which is chosen on beats that the network
# has not been trained on. In the first try these beats are of patients in training, in the second
# they are not.

network = ECGCNNClassifier(n_tabular=2, max_epochs=10, random_state=0, verbose=0)
y, patients = train.target, train.groups
folds = {
    "folds of beats": StratifiedKFold(3, shuffle=True, random_state=0).split(X_train, y),
    "folds of patients": StratifiedGroupKFold(3).split(X_train, y, patients),
}
models = {"as it is": clone(network).fit(X_train, y)}
temperature = {"as it is": 1.0}
for name, cv in folds.items():
    models[name] = CalibratedClassifierCV(
        clone(network), method="temperature", cv=list(cv), ensemble=False
    ).fit(X_train, y)
    (calibrated,) = models[name].calibrated_classifiers_
    temperature[name] = 1 / calibrated.calibrators[0].beta_

# %%
# The network is the same in all three, and so are its predictions. What it says of their
# certainty is not:

probabilities = {name: model.predict_proba(X_test) for name, model in models.items()}
classes = models["as it is"].classes_
print(
    pd.DataFrame(
        {
            name: {
                "temperature": temperature[name],
                "accuracy": (classes[p.argmax(axis=1)] == test.target).mean(),
                "calibration error": expected_calibration_error(test.target, p, classes=classes),
                "Brier score": brier_score_loss(test.target, p, labels=classes),
            }
            for name, p in probabilities.items()
        }
    )
    .T.round(3)
    .to_string()
)

_, axes = plt.subplots(
    2, figsize=(7.5, 6.5), height_ratios=(3, 1.2), sharex=True, layout="constrained"
)
display = ReliabilityDisplay(
    {
        name: reliability_table(test.target, p, classes=classes)
        for name, p in probabilities.items()
    },
    {name: p.max(axis=1) for name, p in probabilities.items()},
    x_name="probability of the predicted class",
    y_name="share predicted correctly",
)
display.plot(ax=axes).ax_.legend(fontsize="small", loc="lower right")

# %%
# Sets are to hold the true class of nine in ten beats, in each class by itself. They are
# calibrated on beats that are held out from training: three in ten of the beats, or the beats of
# three in ten patients.

conformal = ConformalClassifier(clone(network), calibration_size=0.3, random_state=0)
tables = {}
for name, groups in {"beats": None, "patients": patients}.items():
    model = clone(conformal).fit(X_train, y, groups=groups)
    tables[name] = coverage_table(test.target, model.predict_set(X_test), classes=classes)
    held_out = dict(zip(classes.tolist(), model.n_calibration_.tolist(), strict=True))
    print(f"Held out by {name}: {held_out}\n{tables[name].round(3)}\n")

# %%
# On the MIT-BIH records, held out beats of known patients promise far more than strangers keep.
# Held out patients come closer, but a class of few patients, as S is, has the coverage that these
# few happen to give it, and sets are large. No procedure can say more about the next patient than
# the patients that were recorded.

fig, ax = plt.subplots(figsize=(6, 3.6), layout="constrained")
coverage = pd.DataFrame({f"by {name}": table["coverage"] for name, table in tables.items()})
coverage.plot.bar(ax=ax, rot=0)
ax.axhline(conformal.confidence_level, color="0.3", lw=1, ls="--")
ax.set(ylabel="sets that hold the true class", ylim=(0, 1))
ax.legend(title="held out", loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2, frameon=False)
