"""
Filters for records and beats
=============================

The filters of `ecgclf.transforms` on a record with baseline wander and power-line interference:
their frequency responses, and their effect on cut beats.

Needs nothing but ecgclf; the record is synthetic.
"""

# %%
# A synthetic record of one patient with added 60 Hz interference. A record is processed as a
# single long beat: an array of shape (1, n_leads, n_samples).

import tempfile

import matplotlib.pyplot as plt
import numpy as np
import wfdb
from sklearn.pipeline import make_pipeline

from ecgclf.datasets import detect_r_peaks, make_record
from ecgclf.transforms import (
    BandpassFilter,
    BaselineWanderRemover,
    HighpassBaseline,
    NotchFilter,
    WaveletDenoiser,
)

with tempfile.TemporaryDirectory() as folder:
    path = make_record(folder, duration=60, baseline_wander=0.4, random_state=1)
    record = wfdb.rdrecord(str(path))

fs = record.fs
seconds = np.arange(record.sig_len) / fs
signal = record.p_signal.T[np.newaxis, :1] + 0.05 * np.sin(2 * np.pi * 60 * seconds)

# %%
# Three transformers in sequence: power-line interference, baseline wander, and frequencies above
# 40 Hz.

clean = make_pipeline(
    NotchFilter(fs=fs, frequency=60),
    BaselineWanderRemover(fs=fs),
    BandpassFilter(fs=fs, low=None, high=40),
)
cleaned = clean.fit_transform(signal)

shown = slice(round(20 * fs), round(26 * fs))
fig, axes = plt.subplots(2, 1, figsize=(9, 4.5), sharex=True, layout="constrained")
for ax, lead, title in zip(axes, (signal, cleaned), ("original", "filtered"), strict=True):
    ax.plot(seconds[shown], lead[0, 0, shown], linewidth=0.8)
    ax.set(title=title, ylabel="mV")
_ = axes[-1].set_xlabel("time (s)")

# %%
# Frequency responses
# -------------------
# The input are sine waves, and the output is measured in the middle. Filters run forwards and
# backwards, so they cause no delay, and the amplitude at a cut-off frequency is halved.

frequencies = np.geomspace(0.1, 170, 300)
time = np.arange(-20, 20, 1 / fs)
waves = np.cos(2 * np.pi * frequencies[:, np.newaxis] * time)
middle = len(time) // 2
filters = {
    "BandpassFilter, 0.5 to 40 Hz": BandpassFilter(fs=fs, low=0.5, high=40),
    "NotchFilter, 60 Hz": NotchFilter(fs=fs, frequency=60, quality=10),
    "HighpassBaseline, 0.5 Hz": BaselineWanderRemover(fs=fs, baseline=HighpassBaseline()),
}
fig, ax = plt.subplots(figsize=(9, 3.5), layout="constrained")
for (name, transformer), style in zip(filters.items(), ("-", "-", "--"), strict=True):
    ax.semilogx(frequencies, transformer.transform(waves)[:, middle], style, label=name)
ax.axhline(0.5, color="grey", linewidth=0.8)
ax.set(xlabel="frequency (Hz)", ylabel="gain")
_ = ax.legend()

# %%
# Filtering cut beats
# -------------------
# One beat, cut from the filtered record, and filtered after cutting. A low-pass filter gives
# almost the same result. A window of 0.7 s contains less than half a period of 0.5 Hz, so low
# frequencies can only be estimated.

peak = detect_r_peaks(cleaned[0, 0], fs=fs)[20]
window = slice(peak - round(0.25 * fs), peak + round(0.45 * fs))
transformers = {
    "low-pass, 40 Hz": BandpassFilter(fs=fs, low=None, high=40),
    "band-pass, 0.5 to 40 Hz": BandpassFilter(fs=fs, low=0.5, high=40),
    "median baseline": BaselineWanderRemover(fs=fs),
    "wavelet denoiser": WaveletDenoiser(level=3),
}
fig, axes = plt.subplots(1, 4, figsize=(12, 3), sharey=True, layout="constrained")
for ax, (title, transformer) in zip(axes, transformers.items(), strict=True):
    from_record = transformer.fit_transform(signal)[0, 0, window]
    from_beat = transformer.fit_transform(signal[..., window])[0, 0]
    around = seconds[window] - peak / fs
    ax.plot(around, signal[0, 0, window], color="0.8", label="original")
    ax.plot(around, from_record, label="filtered, then cut")
    ax.plot(around, from_beat, "--", label="cut, then filtered")
    ax.set(title=title, xlabel="time from the R peak (s)")
    difference = np.sqrt(np.mean((from_record - from_beat) ** 2))
    print(f"{title:24} {difference:.3f} mV difference")
axes[0].set_ylabel("mV")
_ = axes[0].legend(fontsize=8)
