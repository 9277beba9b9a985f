"""Beats that are read a few at a time, out of whatever array they lie in."""

from __future__ import annotations

import os
import pickle
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgclf.training import Rows, RowView, _row_view, _rows
from ecgclf.training._file_rows import FileRows, file_rows

some = settings(max_examples=40, deadline=None)
BEATS = np.random.default_rng(0).normal(size=(50, 2, 6))


class Chunks:
    """What Zarr, h5py and Dask have in common: slices are cheap, and nothing else works."""

    def __init__(self, array: np.ndarray) -> None:
        self.array = array
        self.shape, self.dtype, self.ndim = array.shape, array.dtype, array.ndim
        self.chunks = (8, *array.shape[1:])
        self.read: list[tuple[int, int]] = []

    def __len__(self) -> int:
        return len(self.array)

    def __getitem__(self, rows: slice) -> np.ndarray:
        assert isinstance(rows, slice)
        self.read.append((rows.start, rows.stop))
        return self.array[rows]


def mapped(folder: Path, array: np.ndarray, mode: str = "r") -> np.memmap:
    file = folder / f"{array.dtype}-{array.ndim}.npy"
    np.save(file, array)
    return np.load(file, mmap_mode=mode)


@pytest.fixture(params=["memory", "float32", "int16", "fortran", "map", "int16 map", "chunks"])
def array(request, tmp_path):
    return {
        "memory": lambda: BEATS,
        "float32": lambda: BEATS.astype(np.float32),
        "int16": lambda: (1000 * BEATS).astype(np.int16),
        "fortran": lambda: np.asfortranarray(BEATS),
        "map": lambda: mapped(tmp_path, BEATS),
        "int16 map": lambda: mapped(tmp_path, (1000 * BEATS).astype(np.int16)),
        "chunks": lambda: Chunks(BEATS),
    }[request.param]()


def expected_rows(array) -> np.ndarray:
    whole = array.array if isinstance(array, Chunks) else np.array(array)
    return whole.reshape(50, 12).astype(np.float32)


@pytest.mark.parametrize(
    "index",
    [slice(None), slice(3, 9), slice(0, 0), slice(40, 2, -7), [4], [7, 7, 0], BEATS[:, 0, 0] > 0],
    ids=lambda index: type(index).__name__,
)
def test_rows_are_those_of_the_array(array, index):
    found = RowView(array)[index]
    np.testing.assert_array_equal(found, expected_rows(array)[index])
    assert found.dtype == np.float32
    assert found.flags.c_contiguous


def test_single_rows_and_all(array):
    view, expected = RowView(array), expected_rows(array)
    assert view.shape == (50, 12)
    np.testing.assert_array_equal(view[-1], expected[-1])
    np.testing.assert_array_equal(list(view), expected)
    np.testing.assert_array_equal(np.asarray(view, dtype=np.float64), expected)
    with pytest.raises(IndexError):
        view[50]


def test_a_copy_by_pickle_is_whole(array):
    again = pickle.loads(pickle.dumps(RowView(array).take([3, 1])))
    np.testing.assert_array_equal(again[:], expected_rows(array)[[3, 1]])
    assert isinstance(again.source, np.ndarray)


def test_a_part_of_a_part(array):
    expected = expected_rows(array)
    mask = np.arange(50) % 2 == 0
    part = RowView(array).take(mask).take([4, 3, 20])
    np.testing.assert_array_equal(part[:], expected[mask][[4, 3, 20]])
    np.testing.assert_array_equal(part[[2, 0]], expected[mask][[20, 4]])


def test_blocks_are_small_and_make_up_the_whole(array, monkeypatch):
    monkeypatch.setattr(_row_view, "BLOCK_BYTES", 10 * 12 * 4)
    blocks = list(RowView(array).blocks())
    np.testing.assert_array_equal(np.concatenate(blocks), expected_rows(array))
    # Ten rows; of chunks of eight, two chunks.
    assert {len(block) for block in blocks[:-1]} == {16 if isinstance(array, Chunks) else 10}


def test_of_no_rows_there_is_one_empty_block():
    assert [block.shape for block in RowView(np.zeros((0, 3))).blocks()] == [(0, 3)]


def test_a_slice_of_memory_is_no_copy():
    X = np.zeros((6, 4), np.float32)
    assert np.shares_memory(RowView(X)[1:4], X)


# --- files ---------------------------------------------------------------------------------


def is_read_from_its_file(X) -> bool:
    return isinstance(RowView(X).source, FileRows)


@some
@given(data=st.data())
def test_parts_of_a_map_are_found_in_its_file(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("maps")
    whole = np.arange(40 * 10, dtype=np.int32).reshape(40, 10)
    (folder / "X").write_bytes(b"x" * 5000 + whole.tobytes())  # more than one page before it
    X = np.memmap(folder / "X", np.int32, "r", offset=5000, shape=(40, 10))
    first, step = data.draw(st.integers(0, 20)), data.draw(st.integers(1, 4))
    left, right = data.draw(st.integers(0, 4)), data.draw(st.integers(5, 10))
    part = X[first::step, left:right]
    assert is_read_from_its_file(part)
    np.testing.assert_array_equal(RowView(part)[:], whole[first::step, left:right])
    np.testing.assert_array_equal(RowView(part)[[3, 1]], whole[first::step, left:right][[3, 1]])


def test_changes_through_a_shared_map_are_seen(tmp_path):
    X = mapped(tmp_path, BEATS, "r+")
    view = RowView(X)
    X[3] = 7.0
    assert is_read_from_its_file(X)
    assert (view[3] == 7.0).all()


def test_changes_in_a_private_map_are_seen(tmp_path):
    X = mapped(tmp_path, BEATS, "c")
    X[3] = 7.0
    assert not is_read_from_its_file(X)
    assert (RowView(X)[3] == 7.0).all()


@pytest.mark.parametrize("kind", ["deleted", "replaced", "longer", "reversed", "columns"])
def test_a_map_whose_rows_are_not_in_its_file_is_read_itself(tmp_path, kind):
    X = mapped(tmp_path, BEATS)
    file = Path(X.filename)
    if kind == "deleted":
        file.unlink()
    elif kind in ("replaced", "longer"):
        np.save(tmp_path / "new.npy", np.zeros((50 if kind == "replaced" else 60, 2, 6)))
        os.replace(tmp_path / "new.npy", file)
    elif kind == "reversed":
        X = X[::-1]
    else:
        X = X.transpose(0, 2, 1)
    assert not is_read_from_its_file(X)
    np.testing.assert_array_equal(RowView(X)[:], X.reshape(50, 12).astype(np.float32))


def test_a_file_that_is_cut_short_afterwards(tmp_path):
    X = mapped(tmp_path, BEATS)
    view = RowView(X)
    os.truncate(X.filename, 1000)
    with pytest.raises(OSError, match="before row 49: it has been cut short"):
        view[[0, 49]]


def test_files_are_closed(tmp_path):
    X = mapped(tmp_path, BEATS)
    rows = file_rows(X)
    number = rows.file
    os.fstat(number)
    del rows
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(number)


# --- chunks --------------------------------------------------------------------------------


def test_chunks_are_unpacked_in_order_and_once(monkeypatch):
    monkeypatch.setattr(_row_view, "BLOCK_BYTES", 1)
    chunks = Chunks(BEATS)
    view = RowView(chunks).unpacked()
    assert chunks.read == [(start, min(start + 8, 50)) for start in range(0, 50, 8)]
    np.testing.assert_array_equal(view[[40, 2, 17]], expected_rows(chunks)[[40, 2, 17]])
    assert len(chunks.read) == 7
    assert view.unpacked() is view


def test_no_room_to_unpack(monkeypatch):
    nearly_full = namedtuple("usage", "free")(free=1000)
    monkeypatch.setattr(_row_view.shutil, "disk_usage", lambda folder: nearly_full)
    with pytest.raises(OSError, match=r"take 0.0 GB in a temporary file.*TMPDIR"):
        RowView(Chunks(BEATS)).unpacked()


# --- on a device ---------------------------------------------------------------------------


def test_every_way_to_a_device_gives_the_same_batch(array):
    """The paths that a GPU takes, walked on the CPU."""
    rows = Rows(RowView(array).unpacked(), y=np.arange(50), weight=np.arange(50.0))
    index, cpu = np.array([4, 2, 29]), torch.device("cpu")
    ways = [
        _rows._gather_on_cpu(rows, index),
        _rows._gather_to(cpu, rows, index),
        _rows._Resident(rows, cpu)(rows, index),
    ]
    for batch in ways:
        assert torch.equal(batch[0], torch.from_numpy(expected_rows(array)[index]))
        assert batch[1].tolist() == batch[2].tolist() == [4, 2, 29]


@pytest.mark.parametrize(("free", "resident"), [(50 * 12 * 4 * 2, True), (50 * 12 * 4, False)])
def test_what_is_too_large_for_a_device_goes_there_in_batches(monkeypatch, free, resident):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (free, free))
    assert _rows._has_room(torch.device("cuda"), Rows(RowView(BEATS))) is resident
