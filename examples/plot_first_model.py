"""
From records to a report
========================

A first model from beginning to end: load beats, look at them, train a network, and see what
it gets right and wrong on patients it has never met. Then a second look at what it missed.
"""

# %%
# Beats of the two record sets of the inter-patient protocol: DS1 to train on, DS2 to test
# on. To keep this page quick we take every fourth beat. Without records at hand
# (`fetch_mitbih` downloads them), synthetic patients stand in.

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
# What the classes look like: a few beats of each, and the mean in black. The window begins
# 0.25 s before the annotated beat.

BeatDisplay.from_beats(train, n_per_class=8, before=0.25, random_state=0)

# %%
# Train. The defaults are a network of about 74,000 weights.

model = ECGCNNClassifier(max_epochs=6, random_state=0, verbose=0)
model.fit(train.data, train.target)
HistoryDisplay.from_estimator(model)

# %%
# Report. With the scores it has areas under the curves, with the groups a column of patients.

report = beat_report(
    test.target,
    model.predict(test.data),
    model.predict_proba(test.data),
    groups=test.groups,
    classes=model.classes_,
)
print(report)

# %%
# In the picture the share of each true class gives the colour, so that the rare classes can
# be seen beside the many normal beats.

ConfusionDisplay(report.confusion_matrix, display_labels=report.labels).plot()

# %%
# Of the S beats of the MIT-BIH records nearly all are missed. No wonder: most of them have the
# shape of a normal beat and only come too early, and a window of one beat cannot show when the
# last one was. The loader has measured that: ``rhythm`` holds the RR intervals around each
# beat. Appended to the signal and announced by ``n_tabular``, they join the network after its
# convolutions.

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
# Better, and still far from good: twenty-two patients, a quarter of their beats and six epochs
# are little to learn from. The few Q beats of these records are too rare to learn or to
# measure.
