"""
Pictures of beats, records and models
=====================================

What can be drawn, in one place: the beats before a model, its predictions after, and what it
looks at in between. All pictures can be read without colour.
"""

# %%
# First the beats. `explore` counts them and finds what is missing or flat; the means show
# which classes look alike.

import tempfile
from functools import partial

import wfdb

from ecgclf import ECGAutoencoder, ECGCNNClassifier
from ecgclf.datasets import get_data_home, load_mitbih, make_beats, make_record
from ecgclf.estimators import integrated_gradients
from ecgclf.evaluation import occlusion
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
# One model to look at, trained on every second beat and tested on the others. Beats of the
# same patients are on both sides, so these pictures say nothing about new ones.

first, second = beats.select(slice(None, None, 2)), beats.select(slice(1, None, 2))
model = ECGCNNClassifier(max_epochs=3, random_state=0, verbose=0)
model.fit(first.data, first.target)
predicted = model.predict(second.data)

# %%
# Beats of each class that were predicted right, and over them those that were not:

BeatErrorDisplay.from_predictions(
    second.data, second.target, predicted, fs=beats.fs, before=BEFORE, random_state=0
)

# %%
# How far the probabilities can be trusted, here those of each class:

ReliabilityDisplay.from_estimator(model, second.data, second.target, per_class=True, n_bins=10)

# %%
# What the network makes of the beats before its last layer, in two dimensions. `reducer` takes
# any other method, such as scikit-learn's ``TSNE()``.

EmbeddingDisplay.from_estimator(model, second.data, second.target)

# %%
# What the decisions rest on: a beat of each class that was predicted right. First the credit
# of each sample in the logit of the predicted class, by the gradients of the network; then by
# how much the probability falls where the beat is covered by the mean beat.

labels = ["N", "S", "V", "F"]
right = [(second.target == label) & (predicted == label) for label in labels]
some = second.data[[found.argmax() for found in right]]
settings = {"fs": beats.fs, "before": BEFORE}
AttributionDisplay.from_estimator(model, some, labels, method=integrated_gradients, **settings)

# %%

covered = partial(occlusion, fill=first.data.mean(axis=0))
AttributionDisplay.from_estimator(model, some, labels, method=covered, **settings)

# %%
# An autoencoder trained on normal beats gives them back better than others:

normal = first.data[first.target == "N"]
autoencoder = ECGAutoencoder(n_codes=8, max_epochs=5, random_state=0, verbose=0).fit(normal)
ReconstructionDisplay.from_estimator(autoencoder, some, labels, **settings)

# %%
# A strip of another record on ECG paper, with the predictions under the annotations. The
# network has never met this patient.

strip = load_mitbih(folder, records=["208"], fs=120)
record = wfdb.rdrecord(str(folder / "208"))
RecordDisplay.from_signal(
    record.p_signal[:, 0],
    record.fs,
    r_peaks=strip.sample,
    labels=strip.target,
    predicted=model.predict(strip.data),
    start=20,
    duration=20,
    lead_names=record.sig_name[:1],
)
