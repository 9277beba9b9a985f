"""
From records to a report
========================

A complete example: load beats, plot them, train a network, evaluate it on new patients, and
improve it with rhythm features.

Needs MIT-BIH records, or synthetic beats without them.
"""

# %%
# Beats of both record sets of the inter-patient protocol: DS1 for training and DS2 for testing.
# Every fourth beat keeps the running time short. Without local records (`fetch_mitbih` downloads
# them), synthetic patients are used.

import numpy as np
from sklearn.preprocessing import StandardScaler

from ecgclf import ECGCNNClassifier
from ecgclf.datasets import get_data_home, load_mitbih, make_beats
from ecgclf.evaluation import beat_report
from ecgclf.plots import BeatDisplay, ConfusionDisplay, HistoryDisplay

try:
    folder = get_data_home() / "mitdb"
    train, test = (load_mitbih(folder, records=name, fs=120) for name in ("ds1", "ds2"))
except FileNotFoundError:
    made = make_beats(n_beats=40_000, n_patients=44, random_state=0)
    train, test = made.select(made.groups < 22), made.select(made.groups >= 22)

train = train.select(np.arange(len(train.target)) % 4 == 0)
test = test.select(np.arange(len(test.target)) % 4 == 0)
print(train.data.shape, test.data.shape)

# %%
# A few beats of each class, with their mean in black. The window begins 0.25 s before the
# annotated beat.

BeatDisplay.from_beats(train, n_per_class=8, before=0.25, random_state=0)

# %%
# Train a network with default parameters. It has about 74,000 weights.

model = ECGCNNClassifier(max_epochs=6, random_state=0, verbose=0)
model.fit(train.data, train.target)
HistoryDisplay.from_estimator(model)

# %%
# Evaluate it. With scores, the report includes areas under curves, and with groups, the number of
# patients.

report = beat_report(
    test.target,
    model.predict(test.data),
    model.predict_proba(test.data),
    groups=test.groups,
    classes=model.classes_,
)
print(report)

# %%
# The colour of the confusion matrix is normalised by true class, so that rare classes are
# visible.

ConfusionDisplay(report.confusion_matrix, display_labels=report.labels).plot()

# %%
# In the MIT-BIH records almost all S beats are missed. Most of them have the shape of a normal
# beat and are only early, and a window of one beat does not contain the preceding RR interval.
# ``rhythm`` holds the RR intervals around each beat. Appended to the signal and counted by
# ``n_tabular``, they are concatenated with the output of the convolutions.

scaler = StandardScaler().fit(train.rhythm)
X_train, X_test = (
    np.column_stack([beats.data, scaler.transform(beats.rhythm)]) for beats in (train, test)
)
with_rhythm = ECGCNNClassifier(
    n_tabular=train.rhythm.shape[1], max_epochs=6, random_state=0, verbose=0
)
with_rhythm.fit(X_train, train.target)
second = beat_report(test.target, with_rhythm.predict(X_test))
print("F1 without rhythm:", report.per_class["f1"].round(3).to_dict())
print("F1 with rhythm:   ", second.per_class["f1"].round(3).to_dict())

# %%
# The result is better but still not good: the training set has only twenty-two patients and a
# quarter of their beats, and six epochs are few. The Q beats of these records are too rare to
# learn or to evaluate.
