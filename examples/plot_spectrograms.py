"""
Spectrograms and scalograms
===========================

Spectrograms and scalograms of beats, and a pipeline that filters and resamples beats, computes
spectrograms and trains a two-dimensional convolutional network.

Needs MIT-BIH records, or synthetic beats without them.
"""

# %%
# Beats of the training records DS1, or synthetic ones if there are no records. Every sixteenth
# beat of the classes N, S, V and F is used.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import GroupShuffleSplit
from sklearn.pipeline import Pipeline

from ecgclf import ECGSpectrogramClassifier
from ecgclf.datasets import get_data_home, load_mitbih, make_beats
from ecgclf.evaluation import beat_report
from ecgclf.transforms import BandpassFilter, Scalogram, SignalResampler, Spectrogram

try:
    beats = load_mitbih(get_data_home() / "mitdb", records="ds1")
except FileNotFoundError:
    beats = make_beats(n_beats=50_000, n_patients=22, fs=360, random_state=0)

beats = beats.select((np.arange(len(beats.target)) % 16 == 0) & (beats.target != "Q"))
print(f"{len(beats.target):,} beats at {beats.fs:g} Hz")

# %%
# A normal and a ventricular beat. Frames of the spectrogram are 0.13 s long at all frequencies;
# wavelets of the scalogram are shorter at higher frequencies. The QRS complex of the normal beat
# is narrow and extends to higher frequencies.

pictures = {
    "Spectrogram": Spectrogram(fs=beats.fs, frame=48, hop=4, high=60, floor_db=-50),
    "Scalogram": Scalogram(fs=beats.fs, low=4, high=60, n_freqs=48, floor_db=-50),
}
chosen = [np.flatnonzero(beats.target == name)[5] for name in ("N", "V")]
fig, axes = plt.subplots(3, 2, figsize=(9, 8), sharex=True, layout="constrained")
for column, beat in zip(axes.T, chosen, strict=True):
    time = np.arange(beats.data.shape[1]) / beats.fs
    column[0].plot(time, beats.data[beat])
    column[0].set(title=f"{beats.target[beat]} beat", ylabel="amplitude (mV)")
    for ax, (name, transformer) in zip(column[1:], pictures.items(), strict=True):
        picture = transformer.fit_transform(beats.data[[beat]])[0]
        mesh = ax.pcolormesh(
            transformer.times_, transformer.frequencies_, picture, shading="nearest"
        )
        ax.set(title=name, ylabel="frequency (Hz)")
        fig.colorbar(mesh, ax=ax, label="dB")
    column[-1].set_xlabel("time (s)")

# %%
# Classification
# --------------
# The whole pipeline is one scikit-learn estimator. Filter and resampler process the signal, the
# spectrogram is an image, and the network classifies it. Training and test patients are
# different.

model = Pipeline(
    [
        ("filter", BandpassFilter(fs=beats.fs, low=0.5, high=40)),
        ("resampler", SignalResampler(fs_in=beats.fs, fs_out=120)),
        ("spectrogram", Spectrogram(fs=120, frame=24, hop=3, high=40)),
        (
            "network",
            ECGSpectrogramClassifier(
                filters=(16, 32), max_epochs=5, batch_size=64, random_state=0, verbose=0
            ),
        ),
    ]
)
split = GroupShuffleSplit(1, test_size=0.3, random_state=0)
train, test = next(split.split(beats.data, groups=beats.groups))
model.fit(beats.data[train], beats.target[train])
print(beat_report(beats.target[test], model.predict(beats.data[test]), groups=beats.groups[test]))

# %%
# S beats differ from normal ones mainly in their timing, which an image of one beat does not
# contain; :doc:`/data` describes rhythm features.
#
# The input of the network has frequencies as rows and times as columns.

print(model[:-1].transform(beats.data[:1]).shape)
print(model["spectrogram"].frequencies_)
print(model["spectrogram"].times_.round(2))
