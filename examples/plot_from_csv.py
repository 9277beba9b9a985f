"""
From a CSV file to a report
===========================

A CSV file with one beat in each row, as most tutorials use it: look at the beats, train a
network, test it on patients that it has not seen, save it, and use it on new rows.

Needs nothing but ecgclf; the CSV file is written here from synthetic beats.
"""

# %%
# The file has the samples of a beat, the patient and the class in each row. Yours may lack the
# patients; then nobody can tell how well a network does on new ones.

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import GroupShuffleSplit

import ecgclf
from ecgclf import ECGCNNClassifier
from ecgclf.datasets import Beats, make_beats
from ecgclf.evaluation import beat_report
from ecgclf.plots import BeatDisplay, ConfusionDisplay, HistoryDisplay

folder = Path(tempfile.mkdtemp())
made = make_beats(n_beats=3000, n_patients=30, random_state=0)
pd.DataFrame(made.data).assign(patient=made.groups, label=made.target).to_csv(
    folder / "beats.csv", index=False
)

# %%
# Read it, and separate the samples from the other columns.

table = pd.read_csv(folder / "beats.csv")
X = table.drop(columns=["patient", "label"]).to_numpy(dtype=np.float32)
y, patients = table["label"].to_numpy(), table["patient"].to_numpy()
print(X.shape, table["label"].value_counts().to_dict())

# %%
# Some beats of each class. The rate of these beats is 120 Hz, and their R peak is 0.25 s after
# the start; the rows of the Kaggle dataset have the same rate and begin with the R peak.

FS, BEFORE = 120, 0.25
BeatDisplay.from_beats(
    Beats(data=X, target=y, fs=FS), n_per_class=8, before=BEFORE, random_state=0
)

# %%
# A quarter of the patients is for the test. A tenth of the others tells the network when to stop.

split = GroupShuffleSplit(1, test_size=0.25, random_state=0)
train, test = next(split.split(X, groups=patients))
model = ECGCNNClassifier(
    max_epochs=15, early_stopping=True, batch_size=64, random_state=0, verbose=0
)
model.fit(X[train], y[train], groups=patients[train])
HistoryDisplay.from_estimator(model)

# %%
# The report. Most beats are normal, so look at the rows of the rare classes rather than at the
# accuracy.

report = beat_report(
    y[test],
    model.predict(X[test]),
    model.predict_proba(X[test]),
    groups=patients[test],
    classes=model.classes_,
)
print(report)
report.to_json(folder / "report.json")

# %%

ConfusionDisplay(report.confusion_matrix, display_labels=report.labels).plot()

# %%
# Save the network, and use it on new rows. The file says which rate and unit it expects.

model.save(folder / "model.ecgclf", fs=FS, unit="mV", window=(BEFORE, 0.45))
loaded = ecgclf.load(folder / "model.ecgclf")
print(loaded.predict(X[test][:10]), loaded.input_contract_["fs"], "Hz")
