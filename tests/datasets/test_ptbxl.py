"""Recordings of PTB-XL, against pandas, ast and wfdb, and the published counts."""

from __future__ import annotations

import ast
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import wfdb
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score

from ecgclf.datasets import RecordError, RecordingSet, load_ptbxl, make_ptbxl

SUPERCLASSES = ("NORM", "MI", "STTC", "CD", "HYP")
LEADS = ("I", "II", "III", "AVR", "AVL", "AVF", "V1", "V2", "V3", "V4", "V5", "V6")


@pytest.fixture(scope="module")
def recordings(ptbxl_dir: Path) -> RecordingSet:
    return load_ptbxl(ptbxl_dir)


@pytest.fixture(scope="module")
def database(ptbxl_dir: Path) -> pd.DataFrame:
    """The table of the database, with the superclasses as in its published example."""
    table = pd.read_csv(ptbxl_dir / "ptbxl_database.csv", index_col="ecg_id")
    table.scp_codes = table.scp_codes.apply(ast.literal_eval)
    statements = pd.read_csv(ptbxl_dir / "scp_statements.csv", index_col=0)
    diagnostic = statements[statements.diagnostic == 1]
    for name, column in [("superclass", "diagnostic_class"), ("subclass", "diagnostic_subclass")]:
        table[name] = table.scp_codes.apply(
            lambda codes, column=column: {
                diagnostic.loc[code, column] for code in codes if code in diagnostic.index
            }
        )
    return table


@pytest.fixture(scope="module")
def synthetic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_ptbxl(tmp_path_factory.mktemp("ptbxl"), 60, random_state=0)


@pytest.fixture
def copy(synthetic: Path, tmp_path: Path) -> Path:
    """A copy of the synthetic recordings, for tests that change files."""
    return shutil.copytree(synthetic, tmp_path / "ptbxl")


# --- the published recordings --------------------------------------------------------------


def test_superclasses_are_those_of_the_published_example(recordings, database):
    labelled = database[database.superclass.map(len) > 0]
    expected = [[name in of for name in SUPERCLASSES] for of in labelled.superclass]
    np.testing.assert_array_equal(recordings.target, np.array(expected, dtype=int))
    assert recordings.target_names == SUPERCLASSES
    np.testing.assert_array_equal(recordings.record, labelled.index)
    np.testing.assert_array_equal(recordings.groups, labelled.patient_id)
    np.testing.assert_array_equal(recordings.fold, labelled.strat_fold)
    np.testing.assert_array_equal(recordings.metadata.age, labelled.age)
    assert recordings.data.shape == (len(labelled), 12, 1000)
    assert recordings.data.dtype == np.float32
    assert np.isfinite(recordings.data).all()
    assert (recordings.fs, recordings.leads) == (100, LEADS)
    assert "NORM 1,433, MI 665, STTC 703, CD 602, HYP 346" in recordings.DESCR
    assert "lists 2,992 of the 21,799 published records" in recordings.DESCR
    assert "Left out: 61 records without a label of the task, 0 without" in recordings.DESCR


def test_patients_are_in_one_fold(recordings):
    assert len(np.unique(recordings.groups)) == 2851
    folds = pd.Series(recordings.fold).groupby(recordings.groups).nunique()
    assert folds.max() == 1


@pytest.mark.parametrize("row", [0, 500, 2000, 2930])
def test_signals_equal_those_of_wfdb(recordings, database, ptbxl_dir, row):
    file = ptbxl_dir / database.loc[recordings.record[row], "filename_lr"]
    expected = wfdb.rdrecord(str(file))
    assert expected.sig_name == list(LEADS)
    assert expected.units == ["mV"] * 12
    np.testing.assert_array_equal(recordings.data[row], expected.p_signal.T.astype(np.float32))


def test_infarction_against_normal_alone(ptbxl_dir, database):
    # The counts of records; they are of 653 and 1,340 patients.
    for folds, counts in [(None, (1366, 665)), (10, (141, 79))]:
        mi = load_ptbxl(ptbxl_dir, task="mi", folds=folds, leads="II")
        assert mi.target_names == ("healthy", "infarction")
        assert tuple(np.sum(mi.target == name) for name in mi.target_names) == counts
        is_mi = database.superclass[mi.record].map(lambda of: "MI" in of)
        np.testing.assert_array_equal(mi.target == "infarction", is_mi)
        alone = database.superclass[mi.record[mi.target == "healthy"]]
        assert alone.map(lambda of: of == {"NORM"}).all()
        if folds is None:
            patients = [len(set(mi.groups[mi.target == name])) for name in mi.target_names]
            assert patients == [1340, 653]
        else:
            assert set(mi.fold) == {10}


@pytest.mark.parametrize(("task", "n_labels"), [("diagnostic", 44), ("form", 19), ("rhythm", 12)])
def test_statements_are_the_labels(ptbxl_dir, database, task, n_labels):
    found = load_ptbxl(ptbxl_dir, task=task, folds=[9, 10], leads="I")
    statements = pd.read_csv(ptbxl_dir / "scp_statements.csv", index_col=0)
    names = statements.index[statements[task] == 1]
    assert found.target_names == tuple(names)
    assert len(names) == n_labels
    codes = database.scp_codes[database.strat_fold >= 9]
    expected = pd.DataFrame([[n in c for n in names] for c in codes], index=codes.index)
    expected = expected[expected.any(axis=1)]
    np.testing.assert_array_equal(found.record, expected.index)
    np.testing.assert_array_equal(found.target, expected.astype(int))


def test_subclasses(ptbxl_dir, database):
    found = load_ptbxl(ptbxl_dir, task="subclass", folds=10, leads="I")
    assert len(found.target_names) == 23
    for record, row in zip(found.record, found.target, strict=True):
        names = {name for name, value in zip(found.target_names, row, strict=True) if value}
        assert names == database.subclass[record]


@pytest.mark.parametrize("least", [15, 50, 100])
def test_unlikely_diagnoses_do_not_count(ptbxl_dir, database, least):
    statements = pd.read_csv(ptbxl_dir / "scp_statements.csv", index_col=0)
    of = statements.diagnostic_class[statements.diagnostic == 1]
    names = database.scp_codes.map(
        lambda codes: {of[c] for c, p in codes.items() if c in of.index and p >= least}
    )
    found = load_ptbxl(ptbxl_dir, folds=10, leads="I", min_likelihood=least)
    expected = names[(database.strat_fold == 10) & (names.map(len) > 0)]
    np.testing.assert_array_equal(found.record, expected.index)
    np.testing.assert_array_equal(
        found.target, [[int(name in of) for name in SUPERCLASSES] for of in expected]
    )
    # Neither infarction nor healthy: an infarction that is less likely.
    mi = load_ptbxl(ptbxl_dir, task="mi", folds=10, leads="I", min_likelihood=least)
    infarction = names[mi.record].map(lambda of: "MI" in of)
    np.testing.assert_array_equal(mi.target == "infarction", infarction)
    healthy = database.superclass[mi.record[mi.target == "healthy"]]
    assert healthy.map(lambda of: of == {"NORM"}).all()
    # Rhythm statements have no likelihood.
    rhythm = load_ptbxl(ptbxl_dir, task="rhythm", folds=10, leads="I", min_likelihood=least)
    assert "SR 251," in rhythm.DESCR


# --- tasks of the caller -------------------------------------------------------------------


def test_a_mapping_of_statements_keeps_recordings_without_labels(ptbxl_dir, database):
    task = {"AF": ["AFIB", "AFLT"], "block": ["1AVB", "2AVB", "3AVB"], "any": ["AFIB", "SR"]}
    found = load_ptbxl(ptbxl_dir, task=task, folds=10, leads="I")
    codes = database.scp_codes[database.strat_fold == 10]
    expected = [[int(bool(set(of) & set(c))) for of in task.values()] for c in codes]
    np.testing.assert_array_equal(found.target, expected)
    assert found.target_names == ("AF", "block", "any")
    assert (found.target.sum(axis=1) == 0).any()


def test_a_function_of_the_statements_gives_the_label(ptbxl_dir, database):
    def rhythm(statements: dict[str, float]) -> str | None:
        return next((name for name in ("AFIB", "SR") if name in statements), None)

    found = load_ptbxl(ptbxl_dir, task=rhythm, folds=10, leads="I")
    expected = database.scp_codes[database.strat_fold == 10].map(rhythm).dropna()
    np.testing.assert_array_equal(found.target, expected)
    np.testing.assert_array_equal(found.record, expected.index)
    assert found.target_names == ("AFIB", "SR")


# --- leads, folds, selection ----------------------------------------------------------------


def test_leads_are_found_by_name_in_the_order_given(synthetic):
    every, some = load_ptbxl(synthetic), load_ptbxl(synthetic, leads=("v2", 1, "aVR"))
    assert some.leads == ("V2", "II", "AVR")
    np.testing.assert_array_equal(some.data, every.data[:, [7, 1, 3]])


def test_data_and_target_alone(synthetic):
    X, y = load_ptbxl(synthetic, folds=range(1, 9), return_X_y=True)
    expected = load_ptbxl(synthetic, folds=range(1, 9))
    np.testing.assert_array_equal(X, expected.data)
    np.testing.assert_array_equal(y, expected.target)


@pytest.mark.parametrize("rows", [slice(3, 9), [5, 2], np.arange(60) % 2 == 0])
def test_select_reduces_every_field(synthetic, rows):
    every = load_ptbxl(synthetic)
    some = every.select(rows)
    at = np.arange(60)[rows]
    for name in ("data", "target", "groups", "record", "fold"):
        np.testing.assert_array_equal(getattr(some, name), getattr(every, name)[at])
    assert some.metadata.ecg_id.tolist() == some.record.tolist()
    assert len(some) == len(at)


# --- synthetic recordings -------------------------------------------------------------------


@pytest.mark.parametrize("fs", [100, 500])
def test_synthetic_recordings_are_valid_wfdb_records(tmp_path, fs):
    folder = make_ptbxl(tmp_path, 3, fs=fs, random_state=1)
    found = load_ptbxl(folder, fs=fs)
    file = found.metadata["filename_lr" if fs == 100 else "filename_hr"][1]
    expected = wfdb.rdrecord(str(folder / file))
    assert (expected.fs, expected.sig_len) == (fs, 10 * fs)
    np.testing.assert_array_equal(found.data[1], expected.p_signal.T.astype(np.float32))
    assert [n & 0xFFFF for n in expected.checksum] == [
        int(n) & 0xFFFF for n in wfdb.rdrecord(str(folder / file), physical=False).calc_checksum()
    ]


def test_synthetic_diagnoses_can_be_learned(tmp_path):
    recordings = load_ptbxl(make_ptbxl(tmp_path, 150, random_state=0))
    assert recordings.target.sum(axis=0).min() >= 20
    features = np.quantile(recordings.data, [0.01, 0.05, 0.95, 0.99], axis=2)
    X = features.transpose(1, 0, 2).reshape(150, -1)
    is_train = recordings.fold % 2 == 0
    normal = recordings.target[:, 0]
    model = RandomForestClassifier(random_state=0).fit(X[is_train], normal[is_train])
    assert roc_auc_score(normal[~is_train], model.predict_proba(X[~is_train])[:, 1]) > 0.75


def test_synthetic_limb_leads_follow_einthoven(tmp_path):
    clean = load_ptbxl(make_ptbxl(tmp_path, 4, noise=0, baseline_wander=0, random_state=0))
    lead = dict(zip(clean.leads, clean.data.transpose(1, 0, 2), strict=True))
    assert np.std(lead["II"]) > 0.1
    np.testing.assert_allclose(lead["II"], lead["I"] + lead["III"], atol=0.002)
    np.testing.assert_allclose(lead["AVR"] + lead["AVL"] + lead["AVF"], 0, atol=0.002)


def test_synthetic_recordings_are_reproducible(tmp_path):
    first, again = (
        load_ptbxl(make_ptbxl(tmp_path / str(i), 5, random_state=3)) for i in range(2)
    )
    np.testing.assert_array_equal(first.data, again.data)


# --- files ---------------------------------------------------------------------------------


def test_missing_files_are_counted(copy):
    (copy / "records100/00000/00003_lr.dat").unlink()
    (copy / "records100/00000/00010_lr.hea").unlink()
    with pytest.warns(UserWarning, match=r"lacks the files of 2 of the 60 .*00003_lr"):
        found = load_ptbxl(copy)
    assert sorted(set(range(1, 61)) - set(found.record)) == [3, 10]
    assert "Left out: 0 records without a label of the task, 2 without files" in found.DESCR


def test_a_missing_folder_is_named(copy):
    with pytest.raises(FileNotFoundError, match=r'none of the 60 .* 500 Hz.*"records500"'):
        load_ptbxl(copy, fs=500)
    (copy / "scp_statements.csv").unlink()
    with pytest.raises(FileNotFoundError, match=r"scp_statements\.csv is missing"):
        load_ptbxl(copy)


def test_a_missing_sample_is_nan(copy):
    file = copy / "records100/00000/00002_lr"
    adc = np.fromfile(file.with_suffix(".dat"), dtype="<i2")
    change = -(2**15) - int(adc[12 * 40 + 5])
    adc[12 * 40 + 5] = -(2**15)
    adc.tofile(file.with_suffix(".dat"))
    header = file.with_suffix(".hea")
    lines = header.read_text().splitlines()
    parts = lines[6].split()
    parts[6] = str((int(parts[6]) + change) & 0xFFFF)
    lines[6] = " ".join(parts)
    header.write_text("\n".join(lines) + "\n")
    found = load_ptbxl(copy)
    expected = wfdb.rdrecord(str(file)).p_signal.T.astype(np.float32)
    assert np.isnan(expected).sum() == 1
    np.testing.assert_array_equal(found.data[1], expected)


def test_damaged_files_are_named(copy):
    file = copy / "records100/00000/00004_lr.dat"
    adc = np.fromfile(file, dtype="<i2")
    adc[5 * 12 + 7] += 1
    adc.tofile(file)
    with pytest.raises(RecordError, match=r"00004_lr.dat is damaged: the checksum of lead V2 is"):
        load_ptbxl(copy)
    adc[:-12].tofile(file)
    with pytest.raises(
        RecordError, match=r"00004_lr.dat is truncated: it has 23,976 bytes, .* requires 24,000"
    ):
        load_ptbxl(copy)


@pytest.mark.parametrize(
    ("old", "new"),
    [(" 12 100 ", " 12 250 "), (" AVL", " V7"), ("/mV", "/uV"), (".dat 16", ".dat 212")],
)
def test_headers_of_other_recordings_are_refused(copy, old, new):
    header = copy / "records100/00000/00004_lr.hea"
    header.write_text(header.read_text().replace(old, new, 1))
    with pytest.raises(RecordError, match=r"00004_lr.hea does not describe a recording of PTB"):
        load_ptbxl(copy)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fs": 250}, "fs=250: PTB-XL is published at 100 and 500 Hz"),
        ({"folds": 11}, r"folds=11: expected numbers from 1 to 10"),
        ({"folds": []}, r"folds=\[\]: expected numbers"),
        ({"leads": "V7"}, "PTB-XL has no lead 'V7'"),
        ({"task": "rythm"}, "task='rythm': expected one of 'superclass', .* a mapping"),
        ({"task": {"AF": ["AFIB"], "x": ["XYZ"]}}, r"task\['AF'\]=\['AFIB'\].*'AFIB'\] is not"),
        ({"task": {"AF": "SR"}}, r"task\['AF'\]='SR': expected a list of statements"),
        ({"task": lambda statements: None}, "None of the 60 recordings in the folds"),
        ({"min_likelihood": 120}, "min_likelihood=120: expected a percentage"),
    ],
)
def test_invalid_parameters(synthetic, options, message):
    with pytest.raises(ValueError, match=message):
        load_ptbxl(synthetic, **options)
