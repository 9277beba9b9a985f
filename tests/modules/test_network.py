"""The frame: signal, features, head."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from ecgclf.modules import BeatNetwork, DenseHead, Dropout, Encoder


class Identity(Encoder):
    """Leads one after another, as they came."""

    def __init__(self, n_leads: int, n_samples: int) -> None:
        super().__init__()
        self.out_features = n_leads * n_samples
        self.seen: torch.Tensor | None = None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.seen = x
        return x.flatten(1)


@settings(max_examples=20, deadline=None)
@given(
    batch=st.integers(1, 4),
    n_leads=st.integers(1, 4),
    n_samples=st.integers(1, 6),
    n_tabular=st.integers(0, 4),
)
def test_leads_and_features_come_apart_and_together(batch, n_leads, n_samples, n_tabular):
    encoder = Identity(n_leads, n_samples)
    network = BeatNetwork(encoder, nn.Identity(), n_leads, n_samples, n_tabular)
    signal = torch.arange(batch * n_leads * n_samples).float().reshape(batch, n_leads, -1)
    features = -1.0 - torch.arange(batch * n_tabular).float().reshape(batch, n_tabular)
    rows = torch.cat([signal.flatten(1), features], dim=1)
    assert torch.equal(network(rows), rows)
    assert torch.equal(encoder.seen, signal)


def test_features_reach_the_logits():
    head = DenseHead(10 + 2, 3)
    network = BeatNetwork(Identity(1, 10), head, 1, 10, n_tabular=2)
    x = torch.zeros(2, 12)
    x[1, 11] = 1.0
    logits = network(x)
    torch.testing.assert_close(logits[1] - logits[0], head[-1].weight[:, 11])


def test_last_layer_turns_features_into_logits():
    head = DenseHead(10 + 2, 3, dense=(5, 4), dense_dropout=(0.5, 0.5))
    network = BeatNetwork(Identity(1, 10), head, 1, 10, n_tabular=2).eval()
    x = torch.randn(6, 12, generator=torch.Generator().manual_seed(0))
    features = network.features(x)
    assert features.shape == (6, 4)
    torch.testing.assert_close(head[-1](features), network(x))


@pytest.mark.parametrize(
    ("dense", "dropout", "expected"),
    [
        ((), (), ["Linear"]),
        ((8,), (), ["Linear", "ReLU", "Linear"]),
        ((8, 4), (0.1, 0.0), ["Linear", "ReLU", "Dropout", "Linear", "ReLU", "Linear"]),
    ],
)
def test_layers_of_the_head(dense, dropout, expected):
    head = DenseHead(6, 5, dense, dropout)
    assert [type(layer).__name__ for layer in head] == expected
    widths = [(m.in_features, m.out_features) for m in head if isinstance(m, nn.Linear)]
    assert widths == list(zip((6, *dense), (*dense, 5)))
    assert [m.p for m in head if isinstance(m, Dropout)] == [p for p in dropout if p]
    assert head(torch.zeros(3, 6)).shape == (3, 5)
