"""Freezing the layers of a trained encoder."""

from __future__ import annotations

import pytest
import torch

from ecgclf.modules import ConvEncoder, ConvLayer, Dropout
from ecgclf.modules._transfer import PretrainedEncoder


@pytest.fixture
def encoder() -> PretrainedEncoder:
    layers = [ConvLayer(4, dropout=0.5), ConvLayer(6, pool_size=2)]
    return PretrainedEncoder(ConvEncoder(1, 40, layers), n_leads=1, n_leads_before=1)


def test_frozen_layers_do_not_move(encoder):
    encoder.freeze(encoder.n_layers)
    encoder.train()
    x = torch.randn(8, 1, 40, generator=torch.Generator().manual_seed(0))
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    first, second = encoder(x), encoder(x)
    assert torch.equal(first, second)  # the dropout drops nothing
    for name, value in encoder.state_dict().items():
        assert torch.equal(before[name], value), name  # nor do running statistics move
    assert not first.requires_grad


@pytest.mark.parametrize("n_frozen", range(9))
def test_the_first_layers_are_frozen(encoder, n_frozen):
    encoder.freeze(n_frozen)
    encoder.train()
    trains = [parameter.requires_grad for parameter in encoder.parameters()]
    assert trains == sorted(trains)  # from the front: none after one that trains
    modes = [m.training for m in encoder.encoder.layers]
    assert modes == sorted(modes)
    encoder.eval()
    assert not any(m.training for m in encoder.modules())


def test_everything_comes_back(encoder):
    encoder.freeze(encoder.n_layers)
    encoder.freeze(0)
    assert all(m.training for m in encoder.modules() if isinstance(m, Dropout))
    assert all(parameter.requires_grad for parameter in encoder.parameters())


def test_new_leads_are_mixed_and_begin_with_their_mean():
    trained = ConvEncoder(2, 40, (4,)).eval()
    encoder = PretrainedEncoder(trained, n_leads=3, n_leads_before=2).eval()
    x = torch.randn(5, 3, 40, generator=torch.Generator().manual_seed(0))
    mean = x.mean(dim=1, keepdim=True).expand(-1, 2, -1)
    torch.testing.assert_close(encoder(x), trained(mean))
