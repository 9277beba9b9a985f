"""The training set in memory, and the batches cut from it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgclf.training import Batches, Rows, _rows

some = settings(max_examples=40, deadline=None)
CPU = torch.device("cpu")


@st.composite
def repeating_rows(draw) -> Rows:
    """Rows of which many are equal, also where only the label differs."""
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
def test_distinct_keeps_every_row_once_with_its_whole_weight(rows):
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
def test_repeated_and_weighted_rows_are_the_same(times):
    X, y = np.eye(4, dtype=np.float32), np.array([0, 1, 0, 1])
    weighted = Rows(X, y, np.array(times)).take(np.array(times) > 0)
    repeated = Rows(X.repeat(times, axis=0), y.repeat(times))
    one, other = (rows.distinct().with_mean_weight_1() for rows in (weighted, repeated))
    for name in ("X", "y", "weight"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


@some
@given(rows=repeating_rows(), scale=st.floats(1e-300, 1e300))
def test_weights_of_mean_1(rows, scale):
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
    """Rows that hold their own number in all parts."""
    return Rows(np.arange(n, dtype=np.float32)[:, None], np.arange(n), np.arange(n) + 1.0)


@some
@given(
    n=st.integers(1, 200), batch_size=st.integers(1, 250), shuffle=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_every_row_once_in_batches_of_nearly_one_size(n, batch_size, shuffle, seed):
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
    for x, y in parts:  # a row stays together
        assert torch.equal(x["x"][:, 0], y.float())
        assert torch.equal(x["weight"], y + 1.0)
        assert (x["x"].dtype, x["weight"].dtype, y.dtype) == (
            torch.float32, torch.float32, torch.int64,
        )  # fmt: skip


def order_of(batches: Batches, seed: int) -> list[int]:
    batches.seed = seed
    return torch.cat([y for _, y in batches]).tolist()


def test_the_order_follows_from_the_seed_alone():
    batches = Batches(numbered(50), 16, CPU, shuffle=True)
    torch.manual_seed(0)
    before = torch.get_rng_state()
    first = order_of(batches, 3)
    assert torch.equal(torch.get_rng_state(), before)
    assert order_of(batches, 4) != first
    torch.manual_seed(1)
    assert order_of(Batches(numbered(50), 7, CPU, shuffle=True), 3) == first


def test_augmentation_sees_each_batch_and_a_seeded_generator():
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


def test_augmentation_in_place_does_not_reach_the_set():
    rows = numbered(10)
    before = rows.X.copy()
    for _ in Batches(rows, 4, CPU, augment=lambda x, generator: x.zero_()):
        pass
    np.testing.assert_array_equal(rows.X, before)


def test_read_only_memory_maps_are_taken_as_they_are(tmp_path):
    np.arange(12, dtype=np.float32).tofile(tmp_path / "X")
    X = np.memmap(tmp_path / "X", np.float32, "r", shape=(6, 2))
    parts = [x["x"] for x, _ in Batches(Rows(X), 4, CPU)]
    assert torch.equal(torch.cat(parts), torch.arange(12.0).reshape(6, 2))


def test_rows_that_live_on_the_device_are_the_same_rows():
    """The path that a GPU takes, walked on the CPU."""
    rows, index = numbered(30), np.array([4, 2, 29])
    resident = _rows._Resident(rows, CPU)(rows, index)
    for on_device, in_memory in zip(resident, _rows._gather_on_cpu(rows, index)):
        assert torch.equal(on_device, in_memory)
        assert on_device.dtype == in_memory.dtype
