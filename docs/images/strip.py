"""Draw strip.png: ten seconds of record 233, with the beats of the pretrained holter network."""

from pathlib import Path

import ecgclf
from ecgclf.datasets import get_data_home, load_mitbih, read_recording
from ecgclf.plots import RecordDisplay

START, DURATION = 1035, 10

folder = get_data_home() / "mitdb"
recording = read_recording(folder / "233")
found = ecgclf.annotate_recording(recording, "holter", leads=["MLII"], end=1100).beats
truth = load_mitbih(folder, records=["233"])
fs = recording.fs
shown = slice(round(START * fs), round((START + DURATION) * fs))
beats = found[found["time"].between(START, START + DURATION)]
print(beats[["time", "label"]].to_string())
inside = (truth.sample >= shown.start) & (truth.sample < shown.stop)
print(list(zip((truth.sample[inside] / fs).round(2).tolist(), truth.target[inside].tolist())))
display = RecordDisplay(
    recording.signal[0],
    fs,
    r_peaks=beats["sample"],
    predicted=beats["label"],
    start=START,
    duration=DURATION,
    lead_names=["MLII"],
).plot()
display.figure_.savefig(Path(__file__).with_name("strip.png"), dpi=150)
