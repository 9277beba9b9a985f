"""Commands, against the functions of the library that they stand for."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import edfio
import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest
import wfdb
from sklearn.base import clone
from sklearn.metrics import recall_score

import ecgclf as package
from ecgclf import datasets
from ecgclf.cli import main
from ecgclf.cli._main import COMMANDS, make_parser
from ecgclf.datasets import detect_r_peaks, load_mitbih, load_wfdb, make_record
from ecgclf.transforms import BeatSegmenter

DOCS = Path(__file__).parents[2] / "docs"

#: A network that trains quickly.
QUICK = "--model ECGMLPClassifier --set dense=(16,) --set max_epochs=1 --set verbose=0"


def run_program(*words, **options):
    return subprocess.run(
        [sys.executable, "-m", "ecgclf", *words], capture_output=True, text=True, **options
    )


def test_help_lists_the_commands():
    helped = run_program("--help")
    assert helped.returncode == 0
    for command in ("train", "evaluate", "predict", "annotate", "export", "fetch"):
        assert f"\n    {command} " in helped.stdout


def test_the_exit_code_is_that_of_main(work):
    failed = run_program("predict", "absent.ecgclf", "records/100", cwd=work)
    assert failed.returncode == 2
    assert failed.stdout == ""
    assert failed.stderr.count("\n") == 1
    assert failed.stderr.startswith("ecgclf: error: There is no file 'absent.ecgclf'")


@pytest.mark.parametrize(
    "command", ["train", "evaluate", "predict", "annotate", "export", "fetch"]
)
def test_help_of_a_command_shows_examples(command, ecgclf):
    done = ecgclf(f"{command} --help")
    assert done.code == 0
    assert f"\n  ecgclf {command} " in done.out.partition("examples:")[2]


def documented_commands():
    """Return the commands in the documentation and in the help texts."""
    pages = [page.read_text(encoding="utf-8") for page in sorted(DOCS.glob("*.rst"))]
    helped = [make_parser().epilog, *(examples for *_, examples in COMMANDS.values())]
    text = "\n".join([*pages, *helped]).replace("\\\n", " ")
    return re.findall(r"^ +(?:\$ )?(ecgclf .*)", text, flags=re.MULTILINE)


@pytest.mark.parametrize("line", documented_commands())
def test_a_documented_command_can_be_parsed(line):
    words = shlex.split(re.split(r" [>|] ", line)[0])
    assert make_parser().parse_args(words[1:]).command == words[1]


def test_version(ecgclf):
    assert ecgclf("--version").out == f"ecgclf {package.__version__}\n"


def test_train_on_an_npz_file(ecgclf, work, model, beats):
    done = ecgclf(
        "train beats.npz trained.ecgclf --unit mV --seed 0 --model ECGMLPClassifier "
        "--set dense=(16,) --set max_epochs=4 --set batch_size=32 --set verbose=0 "
        "--set device=cpu"
    )
    assert done.code == 0, done.err
    assert "300 beats (F: 15, N: 180," in done.err
    assert done.out.startswith("trained.ecgclf: 4 epochs, training loss")
    trained = package.load(work / "trained.ecgclf")
    np.testing.assert_array_equal(
        trained.predict_proba(beats.data), model.predict_proba(beats.data)
    )
    contract = trained.input_contract_
    assert (contract["fs"], contract["unit"], contract["window"]) == (120, "mV", (0.25, 0.45))


def test_train_on_records(ecgclf, work):
    done = ecgclf(
        f"train records own.ecgclf --records 100,101 --lead V1 --fs 90 {QUICK} --seed 3"
    )
    assert done.code == 0, done.err
    trained = package.load(work / "own.ecgclf")
    beats = load_mitbih(work / "records", records=["100", "101"], leads="V1", fs=90, rhythm=False)
    again = clone(trained).fit(beats.data, beats.target, groups=beats.groups)
    np.testing.assert_array_equal(
        trained.predict_proba(beats.data), again.predict_proba(beats.data)
    )
    assert trained.random_state == 3
    assert trained.input_contract_ == {
        **{"n_leads": 1, "n_samples": beats.data.shape[1], "n_tabular": 0},
        **{"fs": 90.0, "unit": "mV", "window": (0.25, 0.45)},
    }


@pytest.mark.parametrize("database", [None, "incartdb"])
def test_train_and_evaluate_on_records_of_other_names(ecgclf, tmp_path, database):
    folder = tmp_path / "holter"
    for seed, name in enumerate(["anna", "sub/bert"]):
        place = folder / name
        make_record(place.parent, place.name, fs=257, leads=("V1", "II"), random_state=seed)
    option = "" if database is None else f"--database {database}"
    done = ecgclf(f"train {folder} {tmp_path}/own.ecgclf {option} --fs 120 {QUICK} --seed 3")
    assert done.code == 0, done.err
    trained = package.load(tmp_path / "own.ecgclf")
    beats = load_wfdb(folder, database=database, fs=120, rhythm=False)
    # Lead II is that of the table of databases.
    assert beats.lead[0, 0] == ("V1" if database is None else "II")
    assert set(beats.groups) == {"anna", "bert"}
    again = clone(trained).fit(beats.data, beats.target, groups=beats.groups)
    np.testing.assert_array_equal(
        trained.predict_proba(beats.data), again.predict_proba(beats.data)
    )
    report = json.loads(ecgclf(f"evaluate {tmp_path}/own.ecgclf {folder} {option} --json").out)
    assert report["n_beats"] == len(beats.target)
    assert len(report["per_patient"]) == 2


@pytest.fixture
def kaggle_csv(work):
    """A folder with twenty rows like those of the Kaggle set: 187 values and a class code."""
    rng = np.random.default_rng(0)
    rows = np.column_stack([rng.uniform(size=(20, 187)), np.repeat(np.arange(5.0), 4)])
    folder = work / "csv"
    folder.mkdir(exist_ok=True)
    pd.DataFrame(rows).to_csv(folder / "mitbih_train.csv", header=False, index=False)
    return folder


@pytest.mark.filterwarnings("ignore:.*bytes, the published file")
def test_train_evaluate_and_predict_by_numbers_of_leads(ecgclf, tmp_path):
    header = make_record(tmp_path, "own", duration=30, random_state=0).with_suffix(".hea")
    expected = load_wfdb(tmp_path, leads=["MLII", "V1"], fs=120).data
    header.write_text(header.read_text().replace("MLII", "ECG").replace("V1", "ECG"))
    place = f"{tmp_path}/two.ecgclf {tmp_path}"
    words = f"--lead 0,1 {QUICK} --fs 120 --set early_stopping=False"
    assert ecgclf(f"train {tmp_path} {tmp_path}/two.ecgclf {words}").code == 0
    (trained_on,) = package.load(tmp_path / "two.ecgclf").training_data_
    assert trained_on["X_sha256"] == hashlib.sha256(np.ascontiguousarray(expected)).hexdigest()
    assert ecgclf(f"evaluate {place} --lead 0,1").code == 0
    assert ecgclf(f"predict {place}/own --lead 0,1").code == 0


def test_train_and_evaluate_on_csvs(ecgclf, work, kaggle_csv):
    done = ecgclf(f"train csv kaggle.ecgclf --kaggle train {QUICK}")
    assert done.code == 0, done.err
    assert "20 beats (F: 4, N: 4, Q: 4, S: 4, V: 4)" in done.err
    report = json.loads(ecgclf("evaluate kaggle.ecgclf csv --kaggle train --json").out)
    beats = datasets.load_kaggle_heartbeat(kaggle_csv, "train")
    expected = package.load(work / "kaggle.ecgclf").score(beats.data, beats.target)
    assert report["overall"]["accuracy"] == pytest.approx(expected)
    # Recordings are cut into such rows.
    assert ecgclf("predict kaggle.ecgclf records/100").code == 0


def test_evaluate(ecgclf, model, beats):
    report = json.loads(ecgclf("evaluate model.ecgclf beats.npz --json").out)
    expected = recall_score(beats.target, model.predict(beats.data), average=None)
    found = {row["label"]: row["sensitivity"] for row in report["per_class"]}
    assert found == pytest.approx(dict(zip(model.classes_, expected)))
    printed = ecgclf("evaluate model.ecgclf beats.npz")
    assert printed.out.startswith("300 beats, 5 classes, 10 patients")
    assert printed.err == ""


def test_evaluate_cuts_records_as_in_training(ecgclf, work, model):
    report = json.loads(ecgclf("evaluate model.ecgclf records --records 101 --json").out)
    beats = load_mitbih(work / "records", records=["101"], fs=120, rhythm=False)
    assert report["n_beats"] == len(beats.data)
    assert report["overall"]["accuracy"] == pytest.approx(model.score(beats.data, beats.target))


@pytest.mark.parametrize("recording", ["records/own", "records/own.hea"])
def test_predict_a_record(recording, ecgclf, work, model):
    done = ecgclf(f"predict model.ecgclf {recording} --output table.csv")
    assert done.code == 0, done.err
    assert "0.5 minutes of MLII, detecting R peaks" in done.err
    record = wfdb.rdrecord(str(work / "records" / "own"))
    signal = record.p_signal[:, 0].astype(np.float32)
    peaks = detect_r_peaks(signal, 360)
    segmenter = BeatSegmenter(120, window=(0.25, 0.45), rhythm=False)
    data = segmenter.segment(signal, peaks, fs_record=360).data
    table = pd.read_csv(work / "table.csv")
    assert list(table) == ["time", "sample", "label", "probability"]
    assert table["sample"].tolist() == peaks.tolist()
    np.testing.assert_allclose(table["time"], peaks / 360, atol=1e-4)
    assert table["label"].tolist() == model.predict(data).tolist()
    np.testing.assert_allclose(
        table["probability"], model.predict_proba(data).max(axis=1), atol=1e-3
    )
    assert done.out.startswith(f"table.csv: {len(peaks)} beats (")


@pytest.mark.parametrize("fs", [249.99, 333.33, 512.414])
def test_predict_at_a_rate_that_is_not_round(fs, ecgclf, work, model):
    signal = wfdb.rdrecord(str(work / "records" / "own")).p_signal.T
    time = np.arange(int(30 * fs)) / fs
    leads = [np.interp(time, np.arange(signal.shape[1]) / 360, lead) for lead in signal]
    wfdb.wrsamp(
        "odd",
        fs=fs,
        units=["mV", "mV"],
        sig_name=["a", "b"],
        p_signal=np.transpose(leads),
        fmt=["16", "16"],
        write_dir=str(work),
    )
    done = ecgclf("predict model.ecgclf odd --lead 0 --output odd.csv")
    assert done.code == 0, done.err
    ecgclf("predict model.ecgclf records/own --output table.csv")
    odd, table = (pd.read_csv(work / name) for name in ("odd.csv", "table.csv"))
    assert len(odd) == pytest.approx(len(table), abs=1)
    distance = np.abs(odd["time"].to_numpy()[:, np.newaxis] - table["time"].to_numpy())
    assert distance.min(axis=1).max() < 0.02


def test_predict_an_edf_file_with_two_leads_of_one_name(ecgclf, work):
    signal = wfdb.rdrecord(str(work / "records" / "own")).p_signal.T
    edfio.Edf(
        [
            edfio.EdfSignal(1000 * lead, 360, label="ECG", physical_dimension="uV")
            for lead in signal
        ]
    ).write(work / "ecg.edf")
    for number, lead in enumerate(("MLII", "V1")):
        done = ecgclf(f"predict model.ecgclf ecg --lead {number} --output ecg.csv")
        assert done.code == 0, done.err
        ecgclf(f"predict model.ecgclf records/own --lead {lead} --output table.csv")
        found, table = (pd.read_csv(work / name) for name in ("ecg.csv", "table.csv"))
        assert abs(found["sample"] - table["sample"]).max() <= 2
    assert "several leads named 'ECG'" in ecgclf("predict model.ecgclf ecg.edf --lead ECG").err


def test_predict_leaves_out_beats_at_gaps(ecgclf, work):
    record = wfdb.rdrecord(str(work / "records" / "own"), physical=False)
    record.d_signal[4000:5000] = -2048
    wfdb.wrsamp(
        "gaps",
        fs=360,
        units=record.units,
        sig_name=record.sig_name,
        d_signal=record.d_signal,
        fmt=record.fmt,
        adc_gain=record.adc_gain,
        baseline=record.baseline,
        write_dir=str(work),
    )
    done = ecgclf("predict model.ecgclf gaps --output gaps.csv")
    assert done.code == 0, done.err
    ecgclf("predict model.ecgclf records/own --output table.csv")
    found, table = (pd.read_csv(work / name) for name in ("gaps.csv", "table.csv"))
    far = ~table["sample"].between(4000 - 1800, 5000 + 1800)
    assert set(table["sample"][far]) <= set(found["sample"])
    assert not found["sample"].between(3900, 5100).any()
    peaks, _ = datasets.read_recording(work / "gaps", ["MLII"]).detect_r_peaks()
    n_left_out = len(peaks) - len(found)
    said = f"{n_left_out} beats in unreadable signal are left out"
    assert n_left_out
    assert said in done.err


def test_predict_prints_only_the_table(ecgclf, work):
    printed = ecgclf("predict model.ecgclf records/own")
    ecgclf("predict model.ecgclf records/own --output table.csv")
    assert printed.out == (work / "table.csv").read_text()


def test_options_complete_a_model_without_rate_and_window(ecgclf):
    given = ecgclf("predict silent.ecgclf records/own --fs 120 --window 0.25 0.45")
    assert given.code == 0, given.err
    assert given.out == ecgclf("predict model.ecgclf records/own").out


def test_predict_by_the_name_of_a_pretrained_model(ecgclf, work):
    done = ecgclf("predict mitbih-small records/own --output small.csv")
    assert done.code == 0, done.err
    expected = package.annotate_recording(
        work / "records" / "own", "mitbih-small", leads=["MLII"]
    )
    assert pd.read_csv(work / "small.csv")["label"].tolist() == expected.beats["label"].tolist()


def test_annotate_recordings_in_a_folder(ecgclf, work):
    (work / "records" / "broken.edf").write_bytes(b"no recording")
    words = "annotate records --model model.ecgclf --output out"
    done = ecgclf(words)
    (work / "records" / "broken.edf").unlink()
    assert done.code == 2
    assert done.err.startswith("ecgclf: error: records/broken.edf is a text file; expected")
    assert done.err.endswith("(1 of 4 recordings failed)\n")
    assert done.out.count(" beats (") == 3
    ends = (".beats", ".csv", ".json", ".html")
    names = {f"{name}{end}" for name in ("100", "101", "own") for end in ends}
    assert {file.name for file in (work / "out").iterdir()} == names
    expected = package.annotate_recording(work / "records" / "own", work / "model.ecgclf")
    table = pd.read_csv(work / "out" / "own.csv")
    assert table["label"].tolist() == expected.beats["label"].tolist()
    before = (work / "out" / "own.csv").stat().st_mtime_ns
    again = ecgclf(words)
    assert again.code == 0, again.err
    assert again.out.count("its files exist") == 3
    assert (work / "out" / "own.csv").stat().st_mtime_ns == before


def test_annotate_a_part_of_a_recording(ecgclf, work):
    words = "--model silent.ecgclf --fs 120 --window 0.25 0.45 --lead V1 --format csv"
    done = ecgclf(
        f"annotate records/own {words} --start 10 --end 0:00:20 --output part --report own.html"
    )
    assert done.code == 0, done.err
    assert pd.read_csv(work / "part" / "own.csv")["time"].between(10, 20).all()
    assert [file.name for file in (work / "part").iterdir()] == ["own.csv"]
    assert "0:00:10 to 0:00:20" in (work / "own.html").read_text(encoding="utf-8")


def test_predict_an_npz_file(ecgclf, model, beats):
    lines = ecgclf("predict model.ecgclf plain.npz").out.splitlines()
    assert lines[0] == "beat,label,probability"
    labels = [line.split(",")[1] for line in lines[1:]]
    assert labels == model.predict(beats.data).tolist()


def test_export(ecgclf, work, model, beats):
    assert ecgclf("export model.ecgclf model.onnx").code == 0
    assert ecgclf("export model.ecgclf half.onnx --float16").code == 0
    done = ecgclf("export model.ecgclf int8.onnx --calibrate beats.npz")
    size = (work / "int8.onnx").stat().st_size
    assert done.out == f"int8.onnx: {size / 1000:,.1f} kB\n"
    for file, kind in (("half", onnx.TensorProto.FLOAT16), ("int8", onnx.TensorProto.INT8)):
        weights = onnx.load(work / f"{file}.onnx").graph.initializer
        assert kind in {weight.data_type for weight in weights}
    session = onnxruntime.InferenceSession(work / "model.onnx")
    (probabilities,) = session.run(["probabilities"], {"X": beats.data})
    np.testing.assert_allclose(probabilities, model.predict_proba(beats.data), rtol=0, atol=1e-5)
    (entry,) = onnx.load(work / "model.onnx").metadata_props
    assert json.loads(entry.value)["input_contract"]["window"] == [0.25, 0.45]


def test_fetch_prints_the_folder(monkeypatch, capsys, tmp_path):
    asked = {}

    def fetch(name, **words):
        asked.update(words, name=name)
        return tmp_path / "mitdb"

    monkeypatch.setattr(datasets, "fetch", fetch)
    assert main(["fetch", "mitbih", "--records", "100, 101", "--to", str(tmp_path)]) == 0
    assert asked == {"name": "mitdb", "records": ["100", "101"], "data_home": tmp_path}
    assert capsys.readouterr().out == f"{tmp_path / 'mitdb'}\n"
