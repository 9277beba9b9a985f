"""Records, and batches of stretches of consecutive beats."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgclf.training import Rows, _context_net
from ecgclf.training._context_net import Records, StretchBatches

some = settings(max_examples=40, deadline=None)
CPU = torch.device("cpu")
LENGTHS = st.lists(st.integers(1, 40), min_size=1, max_size=6)


def rows_of(lengths: list[int], n_leads: int = 1, n_samples: int = 4, seed: int = 0) -> Rows:
    """Beats of records of these lengths in random order; the first sample is the row."""
    rng = np.random.default_rng(seed)
    n = sum(lengths)
    X = rng.normal(size=(n, n_leads * n_samples)).astype(np.float32)
    X[:, 0] = np.arange(n)
    record = rng.permutation(np.repeat(np.arange(len(lengths)), lengths))
    y = rng.integers(2, size=n)
    return Rows(X, y, rng.uniform(0.5, 2, n), record, rng.permutation(10.0 * np.arange(n)))


def batches_of(rows: Rows, context: int = 8, n_leads: int = 1, **options) -> StretchBatches:
    return StretchBatches(
        rows,
        3 * context,
        CPU,
        n_leads=n_leads,
        n_samples=rows.view.shape[1] // n_leads,
        context=context,
        classes=np.array(["N", "S"]),
        **options,
    )


@some
@given(lengths=LENGTHS, seed=st.integers(0, 99))
def test_records_agree_with_a_table(lengths, seed):
    rows = rows_of(lengths, seed=seed)
    records = Records(rows)
    table = pd.DataFrame({"record": rows.record, "position": rows.position})
    expected = table.sort_values(["record", "position"])
    np.testing.assert_array_equal(records.order, expected.index)
    before = expected.groupby("record")["position"].diff()
    before = (before / before.groupby(expected["record"]).transform("median")).fillna(1.0)
    np.testing.assert_allclose(records.before, before.sort_index(), rtol=1e-6)
    after = before.groupby(expected["record"]).shift(-1).fillna(1.0)
    np.testing.assert_allclose(records.after, after.sort_index(), rtol=1e-6)
    lengths = np.bincount(rows.record)[rows.record]
    np.testing.assert_array_equal(records.lengths[records.number], lengths)


def without_offset(beats: np.ndarray) -> np.ndarray:
    return beats - np.median(beats, axis=-1, keepdims=True)


def test_references_are_medians_over_all_beats_and_over_late_beats():
    rows = rows_of([40, 9, 1], n_leads=2)
    records = Records(rows)
    references = records.references(rows, 2, 4)
    for record in range(3):
        of_record = rows.record == record
        beats = rows.X[of_record].reshape(-1, 2, 4)
        if len(beats) > 1:
            beats = without_offset(beats)
        np.testing.assert_allclose(references[record, :, 0], np.median(beats, axis=0), rtol=1e-6)
        before = records.before[of_record]
        late = beats[before >= np.quantile(before, 0.85)]
        np.testing.assert_allclose(references[record, :, 1], np.median(late, axis=0), rtol=1e-6)


def test_references_of_long_records_use_evenly_spaced_beats(monkeypatch):
    rows = rows_of([30])
    rows.position = np.arange(30.0)
    monkeypatch.setattr(_context_net, "_MOST_BEATS", 4)
    references = Records(rows).references(rows, 1, 4)
    spaced = without_offset(rows.X[[0, 10, 19, 29]])
    np.testing.assert_allclose(references[0, 0, 0], np.median(spaced, axis=0), rtol=1e-6)


@some
@given(lengths=LENGTHS, context=st.integers(1, 12), n_leads=st.integers(1, 2))
def test_prediction_covers_every_beat_of_every_lead(lengths, context, n_leads):
    rows = rows_of(lengths, n_leads=n_leads)
    batches = batches_of(rows, context, n_leads=n_leads)
    counts = np.zeros((len(rows), n_leads), dtype=int)
    for place, (x, y) in zip(batches.places, batches):
        assert x["x"].shape[:2] == place.shape
        assert (rows.record[place] == rows.record[place[:, :1]]).all()
        assert (np.diff(rows.position[place], axis=1) > 0).all()
        np.testing.assert_array_equal(y, rows.y[place.ravel()])
        np.testing.assert_allclose(x["weight"], rows.weight[place.ravel()], rtol=1e-6)
        lead = np.arange(len(place)) % n_leads
        np.add.at(counts, (place, lead[:, None]), 1)
    assert (counts[:, :1] == counts).all()
    assert counts.min() >= 1
    assert counts.max() <= (1 if context == 1 else 3)
    whole = np.bincount(rows.record)[rows.record] <= context
    assert (counts[whole] == 1).all()
    assert batches.sizes() == [place.size for place in batches.places]


@some
@given(lengths=LENGTHS, context=st.integers(1, 12), seed=st.integers(0, 99))
def test_training_draws_from_each_record_alike(lengths, context, seed):
    rows = rows_of(lengths)
    batches = batches_of(rows, context, shuffle=True)
    batches.seed = seed
    drawn = list(batches._draw(torch.Generator().manual_seed(seed)))
    assert sorted(len(index) for index in drawn) == sorted(batches.sizes())
    per_record = np.bincount(
        np.concatenate([rows.record[index[:, 0]] for index in drawn]), minlength=len(lengths)
    )
    assert per_record.sum() == sum(-(-n // context) for n in lengths)
    assert per_record.max() - per_record.min() <= 1
    for index in drawn:
        assert index.shape[1] <= context
        assert (rows.record[index] == rows.record[index[:, :1]]).all()
        assert (np.diff(rows.position[index], axis=1) > 0).all()
        shortest = np.bincount(rows.record)[rows.record[index[:, 0]]].min()
        assert index.shape[1] == min(context, shortest)


def test_every_beat_and_lead_is_drawn():
    rows = rows_of([30, 30], n_leads=2)
    batches = batches_of(rows, context=7, n_leads=2, shuffle=True)
    seen = set()
    for batches.seed in range(60):
        for x, _ in batches:
            height = x["x"][..., :4]
            seen.update(map(tuple, height.reshape(-1, 4).round(decimals=3).tolist()))
    assert len(seen) == 2 * 60


def test_the_columns_of_a_batch():
    rows = rows_of([6], n_samples=3)
    rows = Rows(np.column_stack([rows.X, np.arange(6)]), rows.y, None, rows.record, rows.position)
    batches = StretchBatches(
        rows, 99, CPU, n_leads=1, n_samples=3, context=9, classes=np.array(["N", "S"])
    )
    ((x, _),) = list(batches)
    records = Records(rows)
    order = records.order
    signals = without_offset(rows.X[:, :3])
    reference = np.median(signals, axis=0)
    height = np.ptp(reference)
    found = x["x"][0].numpy()
    assert found.shape == (6, 3 * 3 + 2 + 1)
    np.testing.assert_allclose(found[:, :3], signals[order] / height, rtol=1e-5)
    np.testing.assert_allclose(found[:, 3:6], np.tile(reference / height, (6, 1)), rtol=1e-5)
    np.testing.assert_allclose(found[:, 9], records.before[order], rtol=1e-6)
    np.testing.assert_allclose(found[:, 10], records.after[order], rtol=1e-6)
    np.testing.assert_array_equal(found[:, 11], order)


def test_beats_without_records_are_their_own_reference():
    rows = rows_of([5])
    alone = Rows(rows.X, rows.y)
    batches = batches_of(alone)
    ((x, _),) = list(batches)
    assert x["x"].shape == (5, 1, 3 * 4 + 2)
    signals = x["x"][:, 0, :12].reshape(5, 3, 4)
    np.testing.assert_allclose(np.ptp(signals.numpy(), axis=2), 1.0, rtol=1e-5)
    assert torch.equal(signals[:, 0], signals[:, 1])
    assert torch.equal(signals[:, 0], signals[:, 2])


def test_a_flat_record_stays_finite():
    rows = Rows(np.ones((4, 3)), None, None, np.zeros(4, int), np.zeros(4))
    for x, _ in batches_of(rows):
        assert torch.isfinite(x["x"]).all()


def test_processes_share_each_batch():
    rows = rows_of([20, 30])
    whole = list(batches_of(rows, shuffle=True))
    parts = []
    for rank in range(2):
        batches = batches_of(rows, shuffle=True)
        batches.part = rank, 2
        parts.append(list(batches))
    for (x, y), (first, y_first), (second, y_second) in zip(whole, *parts):
        assert torch.equal(torch.cat([first["x"], second["x"]]), x["x"])
        assert torch.equal(torch.cat([y_first, y_second]), y)
        mean = (first["weight"].mean() + second["weight"].mean()) / 2
        torch.testing.assert_close(mean, x["weight"].mean())


def test_changed_labels_get_the_mean_weight_of_their_class():
    rows = rows_of([20])

    def flip(stretches, generator):
        return replace(stretches, labels=1 - stretches.labels)

    means = [np.average(rows.weight[rows.y == c]) for c in (0, 1)]
    (plain, y), (flipped, y_flipped) = (
        next(iter(batches_of(rows, shuffle=True, augment_stretches=augment)))
        for augment in (None, flip)
    )
    assert torch.equal(y_flipped, 1 - y)
    factor = np.where(y_flipped == 1, means[1] / means[0], means[0] / means[1])
    np.testing.assert_allclose(flipped["weight"], plain["weight"].numpy() * factor, rtol=1e-5)
