"""
Calibration and prediction sets
===============================

Overfitted networks are overconfident on new patients. This example shows two remedies for the
same network: temperature scaling, and conformal prediction sets. The result of both depends on
which patients they are fitted on.

Needs MIT-BIH records, or synthetic beats without them.
"""

# %%
# Train on DS1 and test on DS2, with every twelfth beat. Only the classes N, S and V are used:
# almost all F beats are from two patients, and there are few Q beats. Two rhythm features, which
# help with S beats, are appended to the samples.

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
    beats.select(
        (np.arange(len(beats.target)) % 12 == 0) & np.isin(beats.target, ["N", "S", "V"])
    )
    for beats in (train, test)
)
columns = [*train.data.columns, "rr_prev_over_mean_32", "rr_next_over_mean_32"]
X_train, X_test = train.frame[columns], test.frame[columns]
print(train.target.value_counts().to_dict(), test.target.value_counts().to_dict())

# %%
# Temperature scaling divides the logits by a constant, which is fitted on beats that were not
# used for training the network. In the first variant these beats are from training patients, in
# the second from other patients.

network = ECGCNNClassifier(n_tabular=2, max_epochs=10, random_state=0, verbose=0)
y, patients = train.target, train.groups
folds = {
    "folds of beats": StratifiedKFold(3, shuffle=True, random_state=0).split(X_train, y),
    "folds of patients": StratifiedGroupKFold(3).split(X_train, y, patients),
}
models = {"uncalibrated": clone(network).fit(X_train, y)}
temperature = {"uncalibrated": 1.0}
for name, cv in folds.items():
    models[name] = CalibratedClassifierCV(
        clone(network), method="temperature", cv=list(cv), ensemble=False
    ).fit(X_train, y)
    (calibrated,) = models[name].calibrated_classifiers_
    temperature[name] = 1 / calibrated.calibrators[0].beta_

# %%
# All three models have the same network and the same predictions, but different confidence:

probabilities = {name: model.predict_proba(X_test) for name, model in models.items()}
classes = models["uncalibrated"].classes_
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
# The sets should contain the true class of 90% of the beats of each class. They are calibrated on
# beats held out from training: 30% of the beats, or the beats of 30% of the patients.

conformal = ConformalClassifier(clone(network), calibration_size=0.3, random_state=0)
tables = {}
for name, groups in {"beats": None, "patients": patients}.items():
    model = clone(conformal).fit(X_train, y, groups=groups)
    tables[name] = coverage_table(test.target, model.predict_set(X_test), classes=classes)
    held_out = dict(zip(classes.tolist(), model.n_calibration_.tolist(), strict=True))
    print(f"Held out by {name}: {held_out}\n{tables[name].round(3)}\n")

# %%
# On the MIT-BIH records, sets calibrated on beats of training patients have a much lower coverage
# on new patients. Sets calibrated on held-out patients come closer, but the coverage of a class
# with few patients, such as S, depends on these patients, and the sets are large. The reliability
# of any such procedure is limited by the number of recorded patients.

fig, ax = plt.subplots(figsize=(6, 3.6), layout="constrained")
coverage = pd.DataFrame({f"by {name}": table["coverage"] for name, table in tables.items()})
coverage.plot.bar(ax=ax, rot=0)
ax.axhline(conformal.confidence_level, color="0.3", lw=1, ls="--")
ax.set(ylabel="sets that contain the true class", ylim=(0, 1))
ax.legend(title="held out", loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2, frameon=False)
