"""Rows, batches and held-out rows."""

from __future__ import annotations

from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgclf.training import Rows, RowView, _rows, hold_out
from ecgclf.training._rows import Batches

some = settings(max_examples=40, deadline=None)
CPU = torch.device("cpu")
BEATS = np.random.default_rng(0).normal(size=(50, 2, 6))


class Chunks:
    """Array of chunks, which can only be read by slices, like those of Zarr, h5py and Dask."""

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
def test_indexing(array, index):
    found = RowView(array)[index]
    np.testing.assert_array_equal(found, expected_rows(array)[index])
    assert found.dtype == np.float32
    assert found.flags.c_contiguous


def test_single_rows_and_all_rows(array):
    view, expected = RowView(array), expected_rows(array)
    assert view.shape == (50, 12)
    np.testing.assert_array_equal(view[-1], expected[-1])
    np.testing.assert_array_equal(list(view), expected)
    np.testing.assert_array_equal(np.asarray(view, dtype=np.float64), expected)
    with pytest.raises(IndexError):
        view[50]


def test_take_twice(array):
    expected = expected_rows(array)
    mask = np.arange(50) % 2 == 0
    part = RowView(array).take(mask).take([4, 3, 20])
    np.testing.assert_array_equal(part[:], expected[mask][[4, 3, 20]])
    np.testing.assert_array_equal(part[[2, 0]], expected[mask][[20, 4]])


def test_blocks(array, monkeypatch):
    monkeypatch.setattr(_rows, "BLOCK_BYTES", 10 * 12 * 4)
    blocks = list(RowView(array).blocks())
    np.testing.assert_array_equal(np.concatenate(blocks), expected_rows(array))
    # Ten rows, or two chunks of eight rows.
    assert {len(block) for block in blocks[:-1]} == {16 if isinstance(array, Chunks) else 10}


def test_blocks_of_no_rows():
    assert [block.shape for block in RowView(np.zeros((0, 3))).blocks()] == [(0, 3)]


def test_slices_of_memory_are_not_copied():
    X = np.zeros((6, 4), np.float32)
    assert np.shares_memory(RowView(X)[1:4], X)


# --- chunks --------------------------------------------------------------------------------


def test_chunks_are_unpacked_in_order_and_once(monkeypatch):
    monkeypatch.setattr(_rows, "BLOCK_BYTES", 1)
    chunks = Chunks(BEATS)
    view = RowView(chunks).unpacked()
    assert chunks.read == [(start, min(start + 8, 50)) for start in range(0, 50, 8)]
    np.testing.assert_array_equal(view[[40, 2, 17]], expected_rows(chunks)[[40, 2, 17]])
    assert len(chunks.read) == 7
    assert view.unpacked() is view


def test_no_room_to_unpack(monkeypatch):
    nearly_full = namedtuple("usage", "free")(free=1000)
    monkeypatch.setattr(_rows.shutil, "disk_usage", lambda folder: nearly_full)
    with pytest.raises(OSError, match=r"need 0.0 GB in a temporary file.*TMPDIR"):
        RowView(Chunks(BEATS)).unpacked()


# --- on a device ---------------------------------------------------------------------------


def test_all_ways_to_gather_a_batch_agree(array):
    """The code for GPUs, run on the CPU."""
    rows = Rows(RowView(array).unpacked(), y=np.arange(50), weight=np.arange(50.0))
    index = np.array([4, 2, 29])
    read, resident = Batches(rows, 9, CPU), Batches(rows, 9, CPU)
    assert read._resident is None
    resident._resident = _rows._copy_to(CPU, rows)
    for batches in (read, resident):
        x, y, weight = batches._gather(index)
        assert torch.equal(x, torch.from_numpy(expected_rows(array)[index]))
        assert y.tolist() == weight.tolist() == [4, 2, 29]
        assert (x.dtype, y.dtype, weight.dtype) == (torch.float32, torch.int64, torch.float32)


@pytest.mark.parametrize(("free", "resident"), [(50 * 12 * 4 * 2, True), (50 * 12 * 4, False)])
def test_only_small_datasets_are_copied_to_the_device(monkeypatch, free, resident):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (free, free))
    assert _rows._has_room(torch.device("cuda"), Rows(RowView(BEATS))) is resident


# --- rows with labels and weights -------------------------------------------------------------


@st.composite
def repeating_rows(draw) -> Rows:
    """Rows of which many are equal, some with different labels."""
    n = draw(st.integers(1, 30))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return Rows(
        rng.integers(0, 2, size=(n, 3)).astype(np.float32),
        rng.integers(0, 2, size=n),
        rng.integers(1, 9, size=n) / 4,
    )


def total_of_each(rows: Rows) -> dict[tuple, float]:
    totals: dict[tuple, float] = {}
    for x, y, weight in zip(rows.X.tolist(), rows.y.tolist(), rows.weight.tolist()):
        totals[(*x, y)] = totals.get((*x, y), 0.0) + weight
    return totals


@some
@given(rows=repeating_rows())
def test_distinct_sums_the_weights(rows):
    distinct = rows.distinct()
    expected = total_of_each(rows)
    assert len(distinct) == len(expected)
    assert total_of_each(distinct) == expected
    assert distinct.X.dtype == np.float32


@some
@given(rows=repeating_rows(), seed=st.integers(0, 99))
def test_distinct_does_not_depend_on_the_order(rows, seed):
    one = rows.distinct()
    other = rows.take(np.random.default_rng(seed).permutation(len(rows))).distinct()
    for name in ("X", "y", "weight"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


@some
@given(times=st.lists(st.integers(0, 4), min_size=4, max_size=4).filter(any))
def test_repeated_and_weighted_rows_are_equal(times):
    X, y = np.eye(4, dtype=np.float32), np.array([0, 1, 0, 1])
    weighted = Rows(X, y, np.array(times)).take(np.array(times) > 0)
    repeated = Rows(X.repeat(times, axis=0), y.repeat(times))
    one, other = (rows.distinct().with_mean_weight_1() for rows in (weighted, repeated))
    for name in ("X", "y", "weight"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


@some
@given(rows=repeating_rows(), scale=st.floats(1e-300, 1e300))
def test_with_mean_weight_1(rows, scale):
    scaled = Rows(rows.X, rows.y, rows.weight * scale).with_mean_weight_1()
    assert scaled.weight.mean() == pytest.approx(1.0)
    np.testing.assert_allclose(scaled.weight, rows.with_mean_weight_1().weight)


def test_rows_without_labels_or_weights():
    rows = Rows(np.zeros((3, 2), np.float32))
    assert rows.y.tolist() == [0, 0, 0]
    assert rows.weight.tolist() == [1, 1, 1]
    assert len(rows.take(np.array([True, False, True]))) == 2
    np.testing.assert_array_equal(rows.take(np.array([2, 0])).X, rows.X[[2, 0]])


# --- batches -------------------------------------------------------------------------------


def numbered(n: int) -> Rows:
    """Rows whose values, labels and weights are their number."""
    return Rows(np.arange(n, dtype=np.float32)[:, None], np.arange(n), np.arange(n) + 1.0)


@some
@given(
    n=st.integers(1, 200), batch_size=st.integers(1, 250), shuffle=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_batches_cover_all_rows_and_have_similar_sizes(n, batch_size, shuffle, seed):
    batches = Batches(numbered(n), batch_size, CPU, shuffle=shuffle)
    batches.seed = seed
    parts = list(batches)
    sizes = [len(y) for _, y in parts]
    assert len(parts) == len(batches) == int(np.ceil(n / batch_size))
    assert max(sizes) <= batch_size
    assert max(sizes) - min(sizes) <= 1
    order = torch.cat([y for _, y in parts]).tolist()
    assert sorted(order) == list(range(n))
    if not shuffle:
        assert order == list(range(n))
    for x, y in parts:  # values, labels and weights of a row stay together
        assert torch.equal(x["x"][:, 0], y.float())
        assert torch.equal(x["weight"], y + 1.0)
        assert (x["x"].dtype, x["weight"].dtype, y.dtype) == (
            torch.float32, torch.float32, torch.int64,
        )  # fmt: skip


def order_of(batches: Batches, seed: int) -> list[int]:
    batches.seed = seed
    return torch.cat([y for _, y in batches]).tolist()


def test_order_depends_on_the_seed_only():
    batches = Batches(numbered(50), 16, CPU, shuffle=True)
    torch.manual_seed(0)
    before = torch.get_rng_state()
    first = order_of(batches, 3)
    assert torch.equal(torch.get_rng_state(), before)
    assert order_of(batches, 4) != first
    torch.manual_seed(1)
    assert order_of(Batches(numbered(50), 7, CPU, shuffle=True), 3) == first


def test_augmentation_with_a_seeded_generator():
    def noise(x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        return x + torch.rand(x.shape, generator=generator)

    plain, first, again, other = (
        Batches(numbered(20), 8, CPU, shuffle=True, augment=augment)
        for augment in (None, noise, noise, noise)
    )
    other.seed = 1
    rows = [torch.cat([x["x"] for x, _ in b]) for b in (plain, first, again, other)]
    assert torch.equal(rows[1], rows[2])
    added = rows[1] - rows[0]
    assert (added >= 0).all()
    assert (added < 1).all()
    assert added.std() > 0.1
    assert not torch.equal(rows[1].sort(dim=0).values, rows[3].sort(dim=0).values)


def test_augmentation_in_place_does_not_change_the_dataset():
    rows = numbered(10)
    before = rows.X.copy()
    for _ in Batches(rows, 4, CPU, augment=lambda x, generator: x.zero_()):
        pass
    np.testing.assert_array_equal(rows.X, before)


def test_read_only_memory_maps(tmp_path):
    np.arange(12, dtype=np.float32).tofile(tmp_path / "X")
    X = np.memmap(tmp_path / "X", np.float32, "r", shape=(6, 2))
    parts = [x["x"] for x, _ in Batches(Rows(X), 4, CPU)]
    assert torch.equal(torch.cat(parts), torch.arange(12.0).reshape(6, 2))


# --- held-out rows -----------------------------------------------------------------------------

fractions = st.floats(0.05, 0.6)
seeds = st.integers(0, 2**31)


def assert_parts(train, valid, n):
    assert len(train)
    assert len(valid)
    assert sorted([*train, *valid]) == list(range(n))


@some
@given(
    counts=st.lists(st.integers(4, 60), min_size=2, max_size=5), fraction=fractions, seed=seeds
)
def test_hold_out_beats(counts, fraction, seed):
    y = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    train, valid = hold_out(y, fraction, seed)
    assert_parts(train, valid, len(y))
    assert len(valid) == np.ceil(fraction * len(y))
    held_out = np.bincount(y[valid], minlength=len(counts))
    # As even as possible with whole beats.
    assert (np.abs(held_out - len(valid) / len(y) * np.array(counts)) <= 1.0 + 1e-9).all() or (
        len(valid) < len(counts)
    )
    assert (held_out < counts).all()
    again = hold_out(y, fraction, seed)
    np.testing.assert_array_equal(train, again[0])


@some
@given(
    n_patients=st.integers(3, 12), n_beats=st.integers(30, 120), fraction=fractions, seed=seeds,
    named=st.booleans(),
)  # fmt: skip
def test_patients_are_not_split(n_patients, n_beats, fraction, seed, named):
    rng = np.random.default_rng(seed)
    groups = rng.integers(0, n_patients, n_beats)
    if named:
        groups = np.array([f"p{g}" for g in groups])
    y = rng.integers(0, 3, n_beats)
    train, valid = hold_out(y, fraction, seed, groups)
    assert_parts(train, valid, n_beats)
    assert not set(groups[train]) & set(groups[valid])
    n_there = len(set(groups))
    assert len(set(groups[valid])) == np.ceil(fraction * n_there)


def test_hold_out_depends_on_the_seed():
    y = np.arange(100) % 2
    assert set(hold_out(y, 0.2, 0)[1]) != set(hold_out(y, 0.2, 1)[1])
    groups = np.arange(100) // 5
    assert set(hold_out(y, 0.2, 0, groups)[1]) != set(hold_out(y, 0.2, 1, groups)[1])


@pytest.mark.parametrize("seed", range(5))
def test_class_of_one_patient_is_trained_on(seed):
    """Otherwise the class could not be learned."""
    groups = np.repeat(np.arange(6), 20)
    y = np.where(groups == seed, np.arange(120) % 3, np.arange(120) % 2)
    for fraction in (0.1, 0.5):
        train, _ = hold_out(y, fraction, seed, groups)
        assert set(y[train]) == {0, 1, 2}


@pytest.mark.parametrize("seed", range(5))
def test_class_of_one_beat_is_trained_on(seed):
    y = np.zeros(40, dtype=int)
    y[17] = 1
    train, valid = hold_out(y, 0.5, seed)
    assert 17 in train
    assert len(valid) == 20


def test_class_shares_with_patients():
    """Of six patients with each of two classes, two of each are held out."""
    groups = np.repeat(np.arange(12), 10)
    y = (groups >= 6).astype(int)
    for seed in range(5):
        _, valid = hold_out(y, 1 / 3, seed, groups)
        assert np.bincount(y[valid]).tolist() == [20, 20]


def test_single_class():
    train, valid = hold_out(np.zeros(10, dtype=int), 0.2, 0)
    assert (len(train), len(valid)) == (8, 2)


@pytest.mark.parametrize(
    ("y", "fraction", "groups", "match"),
    [
        ([0, 1, 1], 0.9, None, "validation_fraction=0.9 of 3 beats leaves none"),
        ([0, 1], 0.5, None, "only one class to train on.*validation_fraction=0.5"),
        ([0, 1, 0, 1], 0.5, [7, 7, 7, 7], "at least 2 patients, got 1"),
        ([0, 1, 0, 1], 0.8, [1, 2, 3, 3], "validation_fraction=0.8 of 3 patients leaves none"),
        ([0, 1, 0, 1], 0.5, [1, 2, 1, 2], "only one class to train on"),
    ],
)
def test_too_few_beats_or_patients(y, fraction, groups, match):
    with pytest.raises(ValueError, match=match):
        hold_out(np.array(y), fraction, 0, None if groups is None else np.array(groups))
