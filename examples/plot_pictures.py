"""
Plots of beats, records and models
==================================

The plots of `ecgclf.plots`: beats before training, predictions, and the inside of a model. All
plots can be read without colour.

Needs the extra ``attribution``; MIT-BIH records, or synthetic beats without them.
"""

# %%
# `explore` counts the beats and finds missing values and flat signals. The mean beats show which
# classes are similar.

import tempfile
from functools import partial

import wfdb

from ecgclf import ECGAutoencoder, ECGCNNClassifier
from ecgclf.datasets import get_data_home, load_mitbih, make_beats, make_record
from ecgclf.evaluation import integrated_gradients, occlusion
from ecgclf.plots import (
    AttributionDisplay,
    BeatErrorDisplay,
    EmbeddingDisplay,
    ReconstructionDisplay,
    RecordDisplay,
    ReliabilityDisplay,
    SpectrogramDisplay,
    explore,
)
from ecgclf.transforms import Spectrogram

BEFORE = 0.25  # seconds from the start of a window to the R peak
try:
    folder = get_data_home() / "mitdb"
    records = ["119", "200", "201", "209", "213", "223"]
    beats = load_mitbih(folder, records=records, fs=120)
except FileNotFoundError:
    beats = make_beats(n_beats=8000, n_patients=6, random_state=0)
    folder = make_record(tempfile.mkdtemp(), "208", duration=60, random_state=1).parent

beats = beats.select(beats.target != "Q")
found = explore(beats)
print(found.summary[["beats", "share", "patients", "minimum", "maximum"]].round(3))
found.plot(before=BEFORE)

# %%
# The spectrogram of a ventricular beat:

beat = beats.data[beats.target == "V"][:1]
pictures = Spectrogram(fs=beats.fs, frame=24, hop=2)
SpectrogramDisplay.from_estimator(pictures.fit(beat), beat)

# %%
# A model trained on every second beat and tested on the others. Both sets have the same patients,
# so the results do not apply to new patients.

first, second = beats.select(slice(None, None, 2)), beats.select(slice(1, None, 2))
model = ECGCNNClassifier(max_epochs=3, random_state=0, verbose=0)
model.fit(first.data, first.target)
predicted = model.predict(second.data)

# %%
# Correctly classified beats of each class, and on top of them the misclassified ones:

BeatErrorDisplay.from_predictions(
    second.data, second.target, predicted, fs=beats.fs, before=BEFORE, random_state=0
)

# %%
# Reliability of the probabilities, for each class:

ReliabilityDisplay.from_estimator(model, second.data, second.target, per_class=True, n_bins=10)

# %%
# The features of the penultimate layer in two dimensions. `reducer` takes other methods, such as
# scikit-learn's ``TSNE()``.

EmbeddingDisplay.from_estimator(model, second.data, second.target)

# %%
# Attributions for a correctly classified beat of each class. First the contribution of each
# sample to the logit of the predicted class, by integrated gradients; then the decrease of the
# probability when a window is replaced by the mean beat.

labels = ["N", "S", "V", "F"]
right = [(second.target == label) & (predicted == label) for label in labels]
some = second.data[[found.argmax() for found in right]]
settings = {"fs": beats.fs, "before": BEFORE}
AttributionDisplay.from_estimator(model, some, labels, method=integrated_gradients, **settings)

# %%

covered = partial(occlusion, fill=first.data.mean(axis=0))
AttributionDisplay.from_estimator(model, some, labels, method=covered, **settings)

# %%
# An autoencoder trained on normal beats reconstructs them better than other beats:

normal = first.data[first.target == "N"]
autoencoder = ECGAutoencoder(n_codes=8, max_epochs=5, random_state=0, verbose=0).fit(normal)
ReconstructionDisplay.from_estimator(autoencoder, some, labels, **settings)

# %%
# A part of another record on ECG paper, with predictions below the annotations. The patient is
# not in the training set.

strip = load_mitbih(folder, records=["208"], fs=120)
record = wfdb.rdrecord(str(folder / "208"))
paper = RecordDisplay(
    record.p_signal[:, 0],
    record.fs,
    r_peaks=strip.sample,
    labels=strip.target,
    predicted=model.predict(strip.data),
    start=20,
    duration=20,
    lead_names=record.sig_name[:1],
)
paper.plot()
