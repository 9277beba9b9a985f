"""Beats in a folder, against the beats that were written."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgclf.datasets import (
    Beats,
    FixedWindow,
    beats_to_memmap,
    beats_to_zarr,
    load_beats,
    load_mitbih,
    make_beats,
)

PER_BEAT = ("data", "target", "groups", "record", "sample", "lead", "rhythm")


@pytest.fixture(params=[beats_to_memmap, beats_to_zarr])
def store(request):
    if request.param is beats_to_zarr:
        pytest.importorskip("zarr")
    return request.param


def same(found, expected) -> None:
    for name in PER_BEAT:
        if expected.get(name) is None:
            assert found[name] is None
        else:
            np.testing.assert_array_equal(np.asarray(found[name]), expected[name])
            assert np.asarray(found[name]).dtype.kind == np.asarray(expected[name]).dtype.kind
    for name in ("rhythm_names", "fs", "fs_record", "target_names"):
        assert found[name] == expected[name]


@pytest.mark.parametrize("n_leads", [1, 2])
def test_written_beats_can_be_loaded(store, tmp_path, n_leads):
    beats = make_beats(n_beats=120, n_leads=n_leads, random_state=0)
    written = store(beats, tmp_path / "beats")
    same(written, beats)
    again = load_beats(tmp_path / "beats")
    same(again, beats)
    assert again.DESCR == beats.DESCR
    assert again.data.dtype == np.float32
    assert not isinstance(again.data, np.ndarray) or isinstance(again.data, np.memmap)


def test_records_in_parts_equal_the_records_together(store, tmp_path, mitdb_dir):
    options = {"fs": 72, "window": FixedWindow(0.1, 0.2)}
    names = ["100", "201", "202"]
    parts = (load_mitbih(mitdb_dir, records=[name], **options) for name in names)
    found = store(parts, tmp_path / "beats")
    same(found, load_mitbih(mitdb_dir, records=names, **options))
    assert f"{len(found.target):,} beats in 3 parts" in found.DESCR
    assert "MIT-BIH" in found.DESCR


@pytest.mark.parametrize("sizes", [(1,), (3, 1, 996), (7, 100_000)])
def test_the_header_has_the_final_length(tmp_path, sizes):
    parts = (Beats(data=np.full((n, 3), n, np.float32), DESCR="") for n in sizes)
    beats_to_memmap(parts, tmp_path / "beats")
    data = np.load(tmp_path / "beats" / "data.npy")
    np.testing.assert_array_equal(data[:, 0], np.repeat(sizes, sizes))


def test_beats_with_data_only(store, tmp_path):
    found = store(Beats(data=np.arange(6.0).reshape(3, 2)), tmp_path)
    np.testing.assert_array_equal(np.asarray(found.data), [[0, 1], [2, 3], [4, 5]])
    assert found.target is None
    assert found.groups is None


def test_pandas_fields(tmp_path):
    beats = make_beats(n_beats=60, random_state=0, as_frame=True)
    beats.groups = pd.Series([f"patient {g}" for g in beats.groups])
    found = beats_to_memmap(beats, tmp_path)
    np.testing.assert_array_equal(found.data, beats.data.to_numpy())
    np.testing.assert_array_equal(found.groups, beats.groups.to_numpy())
    np.testing.assert_array_equal(found.target, beats.target.to_numpy())


def test_stored_beats_can_be_selected(store, tmp_path):
    beats = make_beats(n_beats=120, random_state=0)
    found = store(beats, tmp_path)
    for rows in (beats.target == "V", [7, 3, 3], slice(10, 40, 5)):
        same(found.select(rows), beats.select(rows))


# --- invalid input -------------------------------------------------------------------------


def test_a_folder_that_is_not_empty(store, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="is not empty"):
        store(make_beats(n_beats=60, random_state=0), tmp_path)
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_no_parts(store, tmp_path):
    with pytest.raises(ValueError, match="parts contains no beats"):
        store([], tmp_path)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"data": np.zeros((60, 5))}, r"Part 2 has beats of shape \(5,\)"),
        ({"fs": 99.0}, r"Part 2 has fs 99.0, but the first part has 120.0"),
        ({"groups": None}, r"Part 2 has the fields \['target', 'record'"),
        ({"target_names": ("a", "b")}, r"Part 2 has target_names \('a', 'b'\)"),
    ],
)
def test_parts_that_differ(store, tmp_path, change, match):
    first = make_beats(n_beats=60, random_state=0)
    with pytest.raises(ValueError, match=match):
        store([first, Beats(**{**first, **change})], tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_folder_without_its_description(store, tmp_path):
    store(make_beats(n_beats=60, random_state=0), tmp_path)
    next(tmp_path.glob("*.json")).unlink()
    with pytest.raises(FileNotFoundError, match="incomplete"):
        load_beats(tmp_path)


def test_a_disk_that_takes_no_more(store, tmp_path, files_of_at_most):
    beats = make_beats(n_beats=600, random_state=0)
    with files_of_at_most(10_000), pytest.raises(OSError, match=str(tmp_path / "beats")):
        store(beats, tmp_path / "beats")
    same(store(beats, tmp_path / "beats"), beats)


def test_objects_that_need_pickle(store, tmp_path):
    beats = make_beats(n_beats=60, random_state=0)
    beats.groups = np.array([{"patient": 1}] * 60)
    with pytest.raises(ValueError, match="groups contains objects of type dict"):
        store(beats, tmp_path)


def test_a_field_that_belongs_to_other_beats(tmp_path):
    beats_to_memmap(make_beats(n_beats=60, random_state=0), tmp_path)
    np.save(tmp_path / "target.npy", np.array(["N"] * 60))
    with pytest.raises(ValueError, match=r"target\.npy has another checksum than beats\.json"):
        load_beats(tmp_path)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite(store, tmp_path, value):
    beats = make_beats(n_beats=60, random_state=0)
    beats.data[7, 7] = value
    with pytest.raises(ValueError, match="data contains NaN or infinite values"):
        store(beats, tmp_path)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Folders of both kinds."""
    beats = make_beats(n_beats=60, random_state=0)
    folders = {
        store: tmp_path_factory.mktemp("beats") for store in (beats_to_memmap, beats_to_zarr)
    }
    for store, folder in folders.items():
        store(beats, folder)
    return beats, list(folders.values())


@settings(max_examples=150, deadline=None)
@given(draw=st.data())
def test_damaged_files_are_refused(written, draw):
    beats, folders = written
    files = [file for folder in folders for file in sorted(folder.rglob("*")) if file.is_file()]
    file = draw.draw(st.sampled_from(files))
    before = file.read_bytes()
    changed = bytearray(before)
    at = draw.draw(st.integers(0, len(before) - 1))
    if draw.draw(st.booleans()):
        changed[at] ^= draw.draw(st.integers(1, 255))
    else:
        del changed[at:]
    try:
        file.write_bytes(changed)
        found = load_beats(next(folder for folder in folders if file.is_relative_to(folder)))
        same(found, beats)  # such as a damaged comment
    except (ValueError, FileNotFoundError):
        pass
    finally:
        file.write_bytes(before)


WRITE_LATER = """\
import sys, time
from ecgclf.datasets import beats_to_memmap, make_beats

def parts():
    beats = make_beats(n_beats=60, random_state=int(sys.argv[2]))
    for _ in range(3):
        time.sleep(0.2)
        yield beats

print("ready", flush=True)
sys.stdin.readline()
try:
    beats_to_memmap(parts(), sys.argv[1])
except OSError as error:
    sys.exit(type(error).__name__)
"""


def test_two_processes_do_not_mix_their_beats(tmp_path):
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITE_LATER, str(tmp_path / "beats"), str(seed)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for seed in range(2)
    ]
    for writer in writers:
        assert writer.stdout.readline() == "ready\n"
    errors = [writer.communicate("\n")[1] for writer in writers]
    (winner,) = (seed for seed in range(2) if writers[seed].returncode == 0)
    assert errors[1 - winner].strip() in ("BlockingIOError", "FileExistsError")
    expected = make_beats(n_beats=60, random_state=winner)
    same(load_beats(tmp_path / "beats").select(slice(60, 120)), expected)


def test_files_are_never_unpickled(tmp_path):
    beats_to_memmap(make_beats(n_beats=60, random_state=0), tmp_path)
    np.save(tmp_path / "target.npy", np.array([object()] * 60), allow_pickle=True)
    with pytest.raises(ValueError, match="another checksum"):
        load_beats(tmp_path)


def test_without_zarr(tmp_path, monkeypatch):
    beats_to_memmap(make_beats(n_beats=60, random_state=0), tmp_path / "map")
    monkeypatch.setitem(sys.modules, "zarr", None)  # as if it were not installed
    with pytest.raises(ImportError, match=r"pip install 'ecgclf\[zarr\]'"):
        beats_to_zarr(make_beats(n_beats=60, random_state=0), tmp_path / "zarr")
    assert len(load_beats(tmp_path / "map").target) == 60


def test_the_files_can_be_read_with_numpy_and_json(tmp_path):
    beats = beats_to_memmap(make_beats(n_beats=60, random_state=0), tmp_path)
    about = json.loads((tmp_path / "beats.json").read_text())
    assert about["n_beats"] == 60
    assert np.load(tmp_path / "data.npy").shape == beats.data.shape
