"""Networks of encoder, per-beat features and dense head."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from ecgclf.modules import (
    BeatNetwork,
    ConvEncoder,
    ConvLayer,
    DenseHead,
    Dropout,
    Encoder,
    PretrainedEncoder,
)


class Identity(Encoder):
    """Encoder that flattens its input and records it."""

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
def test_rows_are_split_into_leads_and_features(batch, n_leads, n_samples, n_tabular):
    encoder = Identity(n_leads, n_samples)
    network = BeatNetwork(encoder, nn.Identity(), n_leads, n_samples, n_tabular)
    signal = torch.arange(batch * n_leads * n_samples).float().reshape(batch, n_leads, -1)
    features = -1.0 - torch.arange(batch * n_tabular).float().reshape(batch, n_tabular)
    rows = torch.cat([signal.flatten(1), features], dim=1)
    assert torch.equal(network(rows), rows)
    assert torch.equal(encoder.seen, signal)


def test_logits_depend_on_the_features():
    head = DenseHead(10 + 2, 3)
    network = BeatNetwork(Identity(1, 10), head, 1, 10, n_tabular=2)
    x = torch.zeros(2, 12)
    x[1, 11] = 1.0
    logits = network(x)
    torch.testing.assert_close(logits[1] - logits[0], head[-1].weight[:, 11])


def test_features_are_the_input_of_the_last_layer():
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


# --- pretrained encoder ------------------------------------------------------------------------


@pytest.fixture
def encoder() -> PretrainedEncoder:
    layers = [ConvLayer(4, dropout=0.5), ConvLayer(6, pool_size=2)]
    return PretrainedEncoder(ConvEncoder(1, 40, layers), n_leads=1, n_leads_before=1)


def test_frozen_layers_do_not_change(encoder):
    encoder.freeze(encoder.n_layers)
    encoder.train()
    x = torch.randn(8, 1, 40, generator=torch.Generator().manual_seed(0))
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    first, second = encoder(x), encoder(x)
    assert torch.equal(first, second)  # no dropout
    for name, value in encoder.state_dict().items():
        assert torch.equal(before[name], value), name  # and fixed batch norm statistics
    assert not first.requires_grad


@pytest.mark.parametrize("n_frozen", range(9))
def test_first_layers_are_frozen(encoder, n_frozen):
    encoder.freeze(n_frozen)
    encoder.train()
    trains = [parameter.requires_grad for parameter in encoder.parameters()]
    assert trains == sorted(trains)  # frozen layers come first
    modes = [m.training for m in encoder.encoder.layers]
    assert modes == sorted(modes)
    encoder.eval()
    assert not any(m.training for m in encoder.modules())


def test_unfreezing(encoder):
    encoder.freeze(encoder.n_layers)
    encoder.freeze(0)
    assert all(m.training for m in encoder.modules() if isinstance(m, Dropout))
    assert all(parameter.requires_grad for parameter in encoder.parameters())


def test_new_leads_start_as_their_mean():
    trained = ConvEncoder(2, 40, (4,)).eval()
    encoder = PretrainedEncoder(trained, n_leads=3, n_leads_before=2).eval()
    x = torch.randn(5, 3, 40, generator=torch.Generator().manual_seed(0))
    mean = x.mean(dim=1, keepdim=True).expand(-1, 2, -1)
    torch.testing.assert_close(encoder(x), trained(mean))
