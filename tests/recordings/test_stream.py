"""Streams of beats, against the annotation of the whole recording."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ecgclf import annotate_recording
from ecgclf.datasets import read_recording
from ecgclf.recordings import BeatStream


def stream(recording, model, chunk, **options):
    """All beats, and the largest delay of one in s."""
    stream = BeatStream(model, recording.fs, n_leads=len(recording.leads), **options)
    parts, delays = [], [0.0]
    for start in range(0, recording.n_samples, chunk):
        parts.append(stream.push(recording.read(start, start + chunk)))
        end = min(start + chunk, recording.n_samples)
        delays += (end / recording.fs - parts[-1]["time"]).tolist()
        assert stream._signal.shape[1] <= 41 * recording.fs
    return pd.concat([*parts, stream.finish()], ignore_index=True), max(delays)


def test_a_model_of_single_beats_gives_the_labels_of_the_whole_recording(record):
    recording = read_recording(record, ["MLII"])
    expected = annotate_recording(recording, "mitbih-small").beats
    found, delay = stream(recording, "mitbih-small", 360)
    shared = expected.merge(found, on="sample")
    assert len(shared) > 0.97 * max(len(expected), len(found))
    assert (shared["label_x"] == shared["label_y"]).mean() > 0.99
    assert list(found) == list(expected)
    assert found["sample"].is_monotonic_increasing
    assert 10 < delay <= 20
    of_other_chunks, _ = stream(recording, "mitbih-small", 7001)
    pd.testing.assert_frame_equal(found, of_other_chunks)


def test_a_model_of_beats_in_context(record, model):
    recording = read_recording(record)
    expected = annotate_recording(recording, model).beats
    found, delay = stream(recording, model, 1000, look_ahead=8, step=4)
    shared = expected.merge(found, on="sample")
    assert len(shared) > 0.97 * max(len(expected), len(found))
    assert (shared["label_x"] == shared["label_y"]).mean() > 0.9
    assert delay <= 12 + 1000 / 360


def test_a_real_record(svdb_dir):
    recording = read_recording(svdb_dir / "801").crop(0, 128 * 400)
    expected = annotate_recording(recording, "holter").beats
    found, _ = stream(recording, "holter", 128)
    shared = expected.merge(found, on="sample")
    assert len(shared) > 0.99 * max(len(expected), len(found))
    assert (shared["label_x"] == shared["label_y"]).mean() > 0.9


def test_a_stream_without_signal_has_no_beats():
    stream = BeatStream("mitbih-small", fs=100)
    assert len(stream.finish()) == 0
    assert len(stream.push(np.zeros(3000))) == 0
    assert list(stream.push([])) == list(stream.finish())


def test_the_number_of_leads_is_checked():
    with pytest.raises(ValueError, match=r"expected \(2, n_samples\)"):
        BeatStream("mitbih-small", n_leads=2).push(np.zeros(100))
    with pytest.raises(ValueError, match="n_leads=0"):
        BeatStream("mitbih-small", n_leads=0)
