"""Errors of the command line: one line that explains invalid input, and exit code 2."""

from __future__ import annotations

import errno
import re
import sys
from pathlib import Path

import numpy as np
import pytest

import ecgclf as package
from ecgclf import datasets
from ecgclf.datasets import make_beats, make_record

#: Invalid command lines, and a part of the error message of each.
WRONG = {
    # Files
    "predict absent.ecgclf records/100": "no file 'absent.ecgclf'",
    "predict plain.npz records/100": "no model that ecgclf has saved",
    "predict model.ecgclf absent/100": "there is no recording absent/100; expected",
    "predict model.ecgclf plain": "there is no recording plain; expected",
    "predict model.ecgclf absent.npz": "absent.npz",
    "train absent.npz new.ecgclf": "There is no file or folder absent.npz",
    "train model.ecgclf new.ecgclf": "model.ecgclf is not an .npz file of numbers and strings",
    "train unlabelled.npz new.ecgclf": 'no array "target"',
    "train nameless.npz new.ecgclf": "no array \"data\", only ['X']",
    "train short.npz new.ecgclf": '"data" has 300 beats, "target" 3',
    "train odd_fs.npz new.ecgclf": '"fs" has the shape (2,)',
    # The output is checked before the work.
    "train beats.npz absent/new.ecgclf": "absent/new.ecgclf cannot be written",
    "predict model.ecgclf records/100 --output absent/t.csv": "t.csv cannot be written",
    "export model.ecgclf absent/model.onnx": "absent/model.onnx cannot be written",
    "train beats.npz .": ". is a folder. Name a file in it.",
    # Beats that do not fit the model
    "evaluate model.ecgclf two_leads.npz": "2 leads",
    "predict model.ecgclf records/100 --output own.atr": "own.atr is a name of WFDB annotations",
    "annotate records/100 --model absent": "no file 'absent' and no pretrained model",
    "annotate absent --model model.ecgclf": "there is no recording absent",
    "annotate records/100 --model model.ecgclf --start 9:00": "nothing between",
    "annotate records records/own --model model.ecgclf": "Several recordings have the name own",
    "annotate records/100 --model model.ecgclf --format txt": "unknown are txt",
    "evaluate model.ecgclf foreign.npz": "predicts the classes F, N, Q, S, V",
    "evaluate model.ecgclf slow.npz": (
        "contains beats of fs 90, but the command line or the model requires 120"
    ),
    "evaluate model.ecgclf records --records 101 --fs 250": "fs=250.0 contradicts the model",
    "predict model.ecgclf records/100 --window 0.3 0.4": "window=[0.3, 0.4] contradicts",
    "predict silent.ecgclf records/100": "Give fs and window as in training",
    "predict silent.ecgclf records/100 --fs 120": "Give window as in training",
    "predict silent.ecgclf records/100 --fs 120 --window 0.2 0.2": "of its training",
    # Leads
    "predict model.ecgclf records/100 --lead V9": "no lead 'V9'; it has 'MLII', 'V1'",
    "predict model.ecgclf records/100 --lead MLII,V1": "names 2 leads, but the model takes 1",
    "predict model.ecgclf plain.npz --lead V1": "--lead cannot be used here",
    "predict model.ecgclf records/flat": "No R peak was found in lead MLII of record flat",
    # Options that contradict each other
    "train beats.npz new.ecgclf --records ds1 --lead V1": "--records and --lead cannot be used",
    "train records new.ecgclf --kaggle train --fs 125": "--fs cannot be used here: --kaggle",
    "train records new.ecgclf --records 100 --unit uV": "these beats are 'mV'",
    "export model.ecgclf model.onnx --records ds1": "--records cannot be used here",
    "train records new.ecgclf --database mitdb --records own": "no record of the MIT-BIH",
    "train records new.ecgclf --database svdbb": "'svdbb' is unknown. Known names are mitdb,",
    "evaluate model.ecgclf beats.npz --database svdb": "--database cannot be used here",
    # Parameters of the network
    "train beats.npz new.ecgclf --set rate=1": "expected NAME=VALUE with a parameter of ECGCNN",
    "train beats.npz new.ecgclf --set lr": "--set lr: expected NAME=VALUE",
    "train beats.npz new.ecgclf --set lr=fast": "Got 'fast' instead",
    "train beats.npz new.ecgclf --set optimizer=fast": "Got 'fast' instead",
    # Errors that argparse finds
    "train beats.npz new.ecgclf --model Forest": "invalid choice: 'Forest'",
    "predict model.ecgclf": "the following arguments are required: RECORD",
    "predict model.ecgclf records/100 --fs fast": "invalid float value: 'fast'",
    "export model.ecgclf a.onnx --float16 --calibrate beats.npz": "not allowed with argument",
    "classify": "invalid choice: 'classify'",
    # Databases
    "fetch mitbdb": "'mitbdb' is unknown. Known names are mitdb, svdb,",
}


@pytest.fixture(scope="module", autouse=True)
def wrong_files(work, beats):
    labelled = {"data": beats.data, "target": beats.target}
    two = make_beats(n_beats=60, n_leads=2, random_state=0)
    np.savez(work / "unlabelled.npz", data=beats.data)
    np.savez(work / "nameless.npz", X=beats.data)
    np.savez(work / "short.npz", data=beats.data, target=beats.target[:3])
    np.savez(work / "odd_fs.npz", **labelled, fs=[120, 120])
    np.savez(work / "slow.npz", **labelled, fs=90)
    np.savez(work / "two_leads.npz", data=two.data, target=two.target)
    np.savez(work / "foreign.npz", data=beats.data, target=np.full(len(beats.data), "AFIB"))
    np.savez(work / "partly.npz", data=beats.data, target=np.char.replace(beats.target, "Q", "X"))
    flat = make_record(work / "records", "flat", duration=10, random_state=0)
    signal = flat.with_suffix(".dat")
    signal.write_bytes(b"\0" * signal.stat().st_size)
    header = flat.with_suffix(".hea")
    lines = [line.split() for line in header.read_text().splitlines()]
    for fields in lines[1:3]:
        fields[5:7] = ["0", "0"]  # first value and checksum, of zeros alone
    header.write_text("\n".join(" ".join(fields) for fields in lines) + "\n")


@pytest.mark.parametrize("words", WRONG)
def test_invalid_input_is_explained(words, ecgclf):
    done = ecgclf(words)
    assert done.code == 2
    assert done.out == ""
    assert "Traceback" not in done.err
    assert WRONG[words] in done.err.splitlines()[-1]


def test_unknown_labels_give_a_warning(ecgclf):
    done = ecgclf("evaluate model.ecgclf partly.npz")
    assert done.code == 0
    assert done.err.startswith("ecgclf: warning: 30 of 300 beats have labels that model.ecgclf")
    assert "(X); they count as errors" in done.err


def test_a_missing_extra_is_named(ecgclf, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)  # as if it were not installed
    done = ecgclf("export model.ecgclf model.onnx")
    assert done.code == 2
    assert "pip install 'ecgclf[onnx]'" in done.err


def test_an_interruption_prints_no_traceback(ecgclf, monkeypatch):
    def interrupt(name, **words):
        raise KeyboardInterrupt

    monkeypatch.setattr(datasets, "fetch", interrupt)
    done = ecgclf("fetch ptbdb")
    assert (done.code, done.err) == (130, "ecgclf: interrupted\n")


def test_an_interrupted_training_writes_no_model(ecgclf, work, monkeypatch):
    def interrupt(*given, **more):
        raise KeyboardInterrupt

    monkeypatch.setattr(package.training.BeatNet, "get_loss", interrupt)
    done = ecgclf("train beats.npz interrupted.ecgclf --model ECGMLPClassifier --set verbose=0")
    assert (done.code, done.err.splitlines()[-1]) == (130, "ecgclf: interrupted")
    assert not (work / "interrupted.ecgclf").exists()


@pytest.mark.parametrize(
    "words", ["train beats.npz a/m", "predict model.ecgclf beats.npz --output a/m"]
)
def test_a_folder_that_takes_no_file_is_found_before_the_work(ecgclf, work, monkeypatch, words):
    def refuse(*given, **more):
        raise OSError(errno.EROFS, "Read-only file system")

    (work / "a").mkdir(exist_ok=True)
    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    done = ecgclf(words)
    assert done.code == 2
    assert re.search(r"error: a/m cannot be written: .* takes no new file \(Read-only", done.err)


def test_half_a_table_is_never_written(ecgclf, work, monkeypatch):
    def fill(table, file, **more):
        Path(file).write_text("time,sample\n0.1,")
        raise OSError(errno.ENOSPC, "No space left on device")

    (work / "old.csv").write_text("old")
    monkeypatch.setattr("pandas.DataFrame.to_csv", fill)
    done = ecgclf("predict model.ecgclf beats.npz --output old.csv")
    assert done.code == 2
    assert "No space left on device: 'old.csv'" in done.err
    assert (work / "old.csv").read_text() == "old"


def test_an_unexpected_error_keeps_its_traceback(ecgclf, monkeypatch):
    def fail(name, **words):
        raise ZeroDivisionError

    monkeypatch.setattr(datasets, "fetch", fail)
    with pytest.raises(ZeroDivisionError):
        ecgclf("fetch ptbdb")
