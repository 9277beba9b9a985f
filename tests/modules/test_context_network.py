"""Network for beats in the context of their recording."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgclf.modules import ContextNetwork, ConvEncoder
from ecgclf.modules._context_network import rhythm_of_stretches


def network(**params) -> ContextNetwork:
    encoder = ConvEncoder(n_leads=3, n_samples=20, filters=(4,))
    return ContextNetwork(encoder, 5, 3, 20, **{"width": 8, "units": 4, **params}).eval()


@settings(max_examples=30, deadline=None)
@given(intervals=st.lists(st.floats(0.2, 4), min_size=2, max_size=30), scale=st.floats(0.5, 2))
def test_rhythm_agrees_with_numpy_and_ignores_the_heart_rate(intervals, scale):
    intervals = np.array(intervals)
    log = np.log(intervals)
    before, after = log[:-1], log[1:]
    expected = np.column_stack(
        [
            before - np.median(log),
            after - np.median(log),
            before - np.quantile(log, 0.9),
            after - np.quantile(log, 0.9),
            after - before,
            np.full(len(before), np.abs(np.diff(log)).mean()),
        ]
    )
    for factor in (1.0, scale):
        rr = torch.tensor(factor * intervals)[None]
        found = rhythm_of_stretches(rr[:, :-1], rr[:, 1:])[0]
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9)


def test_rhythm_of_impossible_intervals_is_finite():
    rr = torch.tensor([[1.0, 0.0, -1.0, 1e9, 1.0]])
    assert torch.isfinite(rhythm_of_stretches(rr[:, :-1], rr[:, 1:])).all()


def test_one_stretch_equals_a_batch_of_one():
    x = torch.rand(7, 62)
    model = network()
    torch.testing.assert_close(model(x), model(x[None]))
    assert model(x).shape == (7, 5)


def test_stretches_are_independent_and_beats_are_not():
    x = torch.rand(3, 6, 62)
    model = network(dense=(6,), dense_dropout=(0.1,))
    whole = model(x).unflatten(0, (3, 6))
    for i in range(3):
        torch.testing.assert_close(model(x[i]), whole[i])
    x[1, 2, :20] *= 2
    changed = (model(x).unflatten(0, (3, 6)) - whole).abs().amax(2)
    assert (changed[1] > 0).all()
    assert (changed[[0, 2]] == 0).all()


def test_features_are_the_input_of_the_last_layer():
    x = torch.rand(2, 4, 64)
    model = network(n_tabular=2, dense=(6,))
    features = model.features(x)
    assert features.shape == (8, 6)
    torch.testing.assert_close(model.head[-1](features), model(x))
