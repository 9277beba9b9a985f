"""Annotation of recordings, against the single steps and against wfdb."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime

import numpy as np
import pandas as pd
import pytest
import wfdb

import ecgclf
from ecgclf import annotate_recording
from ecgclf.datasets import Recording, read_recording
from ecgclf.transforms import BeatSegmenter

from .conftest import WINDOW


@pytest.fixture(scope="module")
def annotated(record, model):
    return annotate_recording(record, model)


def classify(recording, model, peaks, lead):
    """The whole lead, resampled at once and cut by the segmenter."""
    beats = BeatSegmenter(128, window=WINDOW, rhythm=False).segment(
        recording.signal[lead], peaks, fs_record=recording.fs, record="any"
    )
    return model.predict_proba(beats.frame)


def test_beats_are_those_of_the_single_steps(annotated, record, model):
    recording = read_recording(record)
    peaks, _ = recording.detect_r_peaks()
    np.testing.assert_array_equal(annotated.beats["sample"], peaks)
    np.testing.assert_allclose(annotated.beats["time"], peaks / 360)
    logs = np.mean([np.log(classify(recording, model, peaks, lead)) for lead in (0, 1)], axis=0)
    expected = np.exp(logs) / np.exp(logs).sum(axis=1, keepdims=True)
    found = annotated.beats[list(model.classes_)]
    np.testing.assert_allclose(found, expected, atol=1e-4)
    np.testing.assert_array_equal(annotated.beats["label"], found.idxmax(axis=1))
    assert annotated.classes == ("N", "S", "V", "F", "Q")
    assert annotated.leads == ("MLII", "V1")


def test_most_beats_have_the_annotated_label(annotated, record):
    truth = wfdb.rdann(str(record), "atr")
    beats = dict(zip(truth.sample, truth.symbol))
    nearest = [min(beats, key=lambda b, s=s: abs(b - s)) for s in annotated.beats["sample"]]
    classes = dict(zip("NAVF/", "NSVFQ"))
    agree = [
        classes.get(beats[b]) == label for b, label in zip(nearest, annotated.beats["label"])
    ]
    assert np.mean(agree) > 0.8


@pytest.mark.parametrize("name", ["mitbih-small", "mitbih-kaggle"])
def test_pretrained_models_of_kaggle_rows(record, name):
    annotated = annotate_recording(record, name, leads=["MLII"])
    recording = read_recording(record, ["MLII"])
    beats = BeatSegmenter(120, window="kaggle", rhythm=False).segment(
        recording.stored(), annotated.beats["sample"], fs_record=360
    )
    model = ecgclf.load_pretrained(name)
    expected = model.predict_proba(beats.data)
    # The last beat has no row of the Kaggle set.
    found = annotated.beats[list(model.classes_)][:-1]
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_long_recordings_are_cut_in_stretches(model, record, monkeypatch):
    whole = annotate_recording(record, model).beats
    monkeypatch.setattr("ecgclf.recordings._model_input._STRETCH", 20.0)
    monkeypatch.setattr("ecgclf.recordings._model_input._OVERLAP", 3.0)
    parts = annotate_recording(record, model).beats
    pd.testing.assert_frame_equal(whole, parts, atol=1e-3)


def test_a_part_is_annotated_as_a_recording_of_its_own(model, record):
    recording = read_recording(record)
    part = annotate_recording(recording, model, start=30, end="0:01:15")
    cut = annotate_recording(Recording(recording.signal[:, 10800:27000], 360), model)
    assert (part.start, part.stop, part.n_samples) == (10800, 27000, 43200)
    np.testing.assert_array_equal(part.beats["sample"], cut.beats["sample"] + 10800)
    np.testing.assert_allclose(part.beats["time"], part.beats["sample"] / 360)
    np.testing.assert_allclose(part.beats["N"], cut.beats["N"], atol=1e-4)


def find(start, end, began=datetime(2020, 2, 29, 21, 30)):
    """The analysed part of a recording of 24 hours, in hours."""
    from ecgclf.recordings._annotate import find_part

    recording = Recording(np.zeros((1, 24 * 3600)), fs=1, start=began)
    return [sample / 3600 for sample in find_part(recording, start, end)]


def test_clock_times_reach_over_midnight():
    assert find("22:00", "06:00") == [0.5, 8.5]
    assert find("21:30", "21:00:00") == [0, 23.5]
    assert find(None, "22:00") == [0, 0.5]
    assert find("00:15", None) == [2.75, 24]
    assert find("21:00", "22:00") == [23.5, 24]
    assert find(3600, 7200.0) == [1, 2]


def test_times_of_a_recording_without_start_count_from_its_first_sample():
    assert find("6:00", "22:00", None) == [6, 22]
    with pytest.raises(ValueError, match="nothing between start='22:00' and end='06:00'"):
        find("22:00", "06:00", None)
    with pytest.raises(ValueError, match="expected a time such as"):
        find("ten", None)


def test_gaps_are_unreadable_and_their_beats_uncertain(model, record):
    signal = read_recording(record).signal.copy()
    signal[:, 14400:18000] = np.nan
    with pytest.warns(UserWarning, match="unreadable"):
        found = annotate_recording(Recording(signal, 360), model)
    ((start, stop),) = found.unreadable
    assert abs(start - 14400) < 180
    assert abs(stop - 18000) < 180
    beside = found.beats[found.beats["uncertain"]]
    assert set(beside["label"]) <= {"Q"}
    assert (beside["quality"] == 0).all()
    assert ((beside["sample"] - 16200).abs() < 1800 + 180).all()


def test_one_readable_lead_is_enough(model, record):
    signal = read_recording(record).signal.copy()
    alone = annotate_recording(Recording(signal[:1], 360), model).beats
    signal[1] = np.nan
    both = annotate_recording(Recording(signal, 360), model).beats
    assert not both["uncertain"].any()
    # The detector has another threshold for several leads.
    shared = alone.merge(both, on="sample")
    assert len(shared) > 0.97 * len(alone)
    np.testing.assert_allclose(shared["quality_x"], shared["quality_y"], atol=1e-6)
    assert (shared["label_x"] == shared["label_y"]).mean() > 0.97


def test_uncertain_beats_are_unclassifiable_or_marked(model, record, annotated):
    least = annotated.beats[list(annotated.classes)].max(axis=1).median()
    labelled = annotate_recording(record, model, min_confidence=least).beats
    marked = annotate_recording(record, model, min_confidence=least, uncertain="mark").beats
    np.testing.assert_array_equal(marked["label"], annotated.beats["label"])
    np.testing.assert_array_equal(marked["uncertain"], labelled["uncertain"])
    assert set(labelled["label"][labelled["uncertain"]]) == {"Q"}
    assert 0.3 < labelled["uncertain"].mean() < 0.6


def test_quality_is_high_without_noise_and_low_with_it():
    from ecgclf.recordings._model_input import measure_quality

    rng = np.random.default_rng(0)
    beat = np.exp(-(np.linspace(-8, 8, 112) ** 2))
    noise = rng.normal(size=(500, 1, 112))
    clean, medium, noisy = (measure_quality(beat + s * noise).mean() for s in (0.001, 0.05, 1))
    assert clean > 0.99 > medium > 0.6 > 0.25 > noisy


def test_wfdb_reads_the_annotations(annotated, tmp_path, model, record):
    path = annotated.to_wfdb(tmp_path / "with space.beats")
    path.rename(tmp_path / "night.beats")
    found = wfdb.rdann(str(tmp_path / "night"), "beats")
    assert found.fs == 360
    np.testing.assert_array_equal(found.sample, annotated.beats["sample"])
    assert found.symbol == annotated.beats["label"].tolist()
    signals = wfdb.rdrecord(str(record))
    wfdb.plot_wfdb(record=signals, annotation=found, return_fig=True)


def test_peaks_in_unreadable_signal_are_annotated_as_artifacts(annotated, tmp_path):
    beats = annotated.beats.copy()
    beats.loc[3:4, "quality"] = 0.0
    replace(annotated, beats=beats).to_wfdb(tmp_path / "night.beats")
    found = wfdb.rdann(str(tmp_path / "night"), "beats")
    expected = beats["label"].tolist()
    expected[3:5] = "||"
    assert found.symbol == expected


def test_changes_of_quality_are_annotated(model, record, tmp_path):
    signal = read_recording(record).signal.copy()
    signal[:, 14400:18000] = np.nan
    signal[:, 40000:] = np.nan
    with pytest.warns(UserWarning, match="unreadable"):
        found = annotate_recording(Recording(signal, 360), model, min_confidence=0.9)
    found.to_wfdb(tmp_path / "gaps.beats")
    read = wfdb.rdann(str(tmp_path / "gaps"), "beats")
    changes = np.array(read.symbol) == "~"
    np.testing.assert_array_equal(read.sample[changes], found.unreadable.ravel()[:3])
    assert read.subtype[changes].tolist() == [-1, 0, -1]
    notes = [note.strip("\0") == "?" for note in np.array(read.aux_note)[~changes]]
    assert notes == found.beats["uncertain"].tolist()
    assert any(notes)


def test_csv_and_json_hold_the_table(annotated, tmp_path):
    table = pd.read_csv(annotated.to_csv(tmp_path / "beats.csv"))
    pd.testing.assert_frame_equal(
        table, annotated.beats, check_dtype=False, atol=1e-4, check_names=False
    )
    facts = json.loads(annotated.to_json(tmp_path / "night.json").read_text())
    assert facts["beats"]["label"] == annotated.beats["label"].tolist()
    assert facts["analysed"] == [0, 43200]
    assert facts["summary"] == annotated.summary
    assert facts["summary"]["beats"]["all"] == len(annotated.beats)
    with pytest.raises(ValueError, match=r"\.atr is a name of WFDB annotations"):
        annotated.to_csv(tmp_path / "night.atr")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["beats.csv", "night.json"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"model": "absent"}, "no file 'absent' and no pretrained model"),
        ({"leads": ["V9"]}, "has no lead 'V9'"),
        ({"fs": 250}, "fs=250 contradicts the model"),
    ],
)
def test_errors(record, model, arguments, message):
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        annotate_recording(record, **{"model": model, **arguments})


def test_a_model_with_features_is_refused(record):
    beats = ecgclf.datasets.make_beats(n_beats=200, random_state=0)
    model = ecgclf.ECGMLPClassifier(n_tabular=14, max_epochs=1, verbose=0, device="cpu")
    with pytest.raises(ValueError, match="14 features of each beat"):
        annotate_recording(record, model.fit(beats.data, beats.target))


def test_a_model_that_states_nothing_needs_rate_and_window(record, model):
    beats = ecgclf.datasets.make_beats(n_beats=200, fs=100, window=(0.2, 0.4), random_state=0)
    plain = ecgclf.ECGMLPClassifier(max_epochs=1, verbose=0, device="cpu").fit(
        beats.data, beats.target
    )
    with pytest.raises(ValueError, match="Give fs and window as in training"):
        annotate_recording(record, plain)
    with pytest.raises(ValueError, match="takes 60"):
        annotate_recording(record, plain, fs=100, window=(0.2, 0.3))
    assert len(annotate_recording(record, plain, fs=100, window=(0.2, 0.4)).beats) > 100


def test_a_recording_without_beats_has_an_empty_table(model, tmp_path):
    with pytest.warns(UserWarning, match="unreadable"):
        found = annotate_recording(Recording(np.zeros((2, 36000)), 360), model)
    assert len(found.beats) == 0
    assert found.unreadable.tolist() == [[0, 36000]]
    found.to_csv(tmp_path / "beats.csv")
    found.to_json(tmp_path / "beats.json")
    found.to_wfdb(tmp_path / "night.beats")
