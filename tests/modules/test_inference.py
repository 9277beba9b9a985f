"""Layers without gradients, compared with the same layers with gradients."""

from __future__ import annotations

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from ecgclf.modules import ConvEncoder, ConvLayer, Dropout, ResidualEncoder, SpectrogramEncoder
from ecgclf.modules._basic_layers import ImageLayers, MaxPool

some = settings(max_examples=80, deadline=None)


def as_trained(module: nn.Module) -> nn.Module:
    """Set random statistics and weights of the batch norms."""
    draw = torch.Generator().manual_seed(0)
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.normal_(generator=draw)
            part.running_var.uniform_(0.1, 4.0, generator=draw)
            nn.init.normal_(part.weight, generator=draw)
            nn.init.normal_(part.bias, generator=draw)
    return module.eval()


def both(module: nn.Module, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Compute the output without and with gradients."""
    with torch.no_grad():
        quick = module(x.clone())
    return quick, module(x.clone().requires_grad_()).detach()


@some
@given(
    size=st.integers(1, 6),
    stride=st.integers(1, 6),
    length=st.integers(6, 30),
    ceil_mode=st.booleans(),
)
def test_pooling_equals_torch(size, stride, length, ceil_mode):
    x = torch.randn(2, 3, 1, length, generator=torch.Generator().manual_seed(length))
    expected = nn.MaxPool2d((1, size), (1, stride), ceil_mode=ceil_mode)(x)
    with torch.no_grad():
        assert torch.equal(MaxPool(size, stride, ceil_mode=ceil_mode)(x), expected)


def test_pooling_gradient_equals_torch():
    x = torch.randn(2, 3, 1, 11, generator=torch.Generator().manual_seed(0))
    ours, theirs = x.clone().requires_grad_(), x.clone().requires_grad_()
    MaxPool(2, 2, ceil_mode=True)(ours).square().sum().backward()
    nn.MaxPool2d((1, 2), (1, 2), ceil_mode=True)(theirs).square().sum().backward()
    assert torch.equal(ours.grad, theirs.grad)


def test_pooling_propagates_nan():
    x = torch.tensor([1.0, torch.nan, 2.0, 3.0]).reshape(1, 1, 1, 4)
    with torch.no_grad():
        pooled = MaxPool(2, 2)(x).flatten()
    assert pooled[0].isnan()
    assert pooled[1] == 3


encoders = {
    "convolutions": lambda: ConvEncoder(
        2, 60, [ConvLayer(6, pool_size=2, pool_stride=2, dropout=0.4), ConvLayer(5)]
    ),
    "no batch norm": lambda: ConvEncoder(
        2, 60, [ConvLayer(6, pool_size=3, pool_stride=2)], batch_norm=False
    ),
    "even kernel": lambda: ConvEncoder(2, 60, [ConvLayer(6, kernel_size=4, stride=2)]),
    "valid": lambda: ConvEncoder(2, 60, (6, 5), padding="valid", global_pool=None),
    "basic blocks": lambda: ResidualEncoder(2, 60, (8, 6), squeeze_excite=True),
    "bottlenecks": lambda: ResidualEncoder(2, 60, (8, 12), block="bottleneck"),
    "pooled blocks": lambda: ResidualEncoder(2, 60, (8, 8), block="pooled", pool_size=5),
    "spectrogram": lambda: SpectrogramEncoder((4, 6)),
}


@pytest.mark.parametrize("name", encoders)
def test_encoders_give_the_same_output_without_gradients(name):
    encoder = as_trained(encoders[name]())
    shape = (3, 20, 30) if name == "spectrogram" else (3, 2, 60)
    x = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    before = copy.deepcopy(encoder.state_dict())
    quick, plain = both(encoder, x)
    torch.testing.assert_close(quick, plain, rtol=1e-4, atol=1e-5)
    after = encoder.state_dict()
    assert list(after) == list(before)
    assert all(torch.equal(after[name], before[name]) for name in before)


def test_batch_norm_is_folded_into_a_convolution_with_bias():
    layers = as_trained(ImageLayers(nn.Conv2d(2, 4, (1, 3)), nn.BatchNorm2d(4)))
    quick, plain = both(layers, torch.ones(2, 2, 1, 9))
    torch.testing.assert_close(quick, plain)
    called = []
    layers[1].register_forward_hook(lambda *_: called.append(1))
    with torch.no_grad():
        layers(torch.ones(2, 2, 1, 9))
    assert not called


@pytest.mark.parametrize("options", [{"affine": False}, {"track_running_stats": False}])
def test_other_batch_norms_are_not_folded(options):
    layers = ImageLayers(nn.Conv2d(1, 4, (1, 3)), nn.BatchNorm2d(4, **options)).eval()
    quick, plain = both(layers, torch.randn(5, 1, 1, 9, generator=torch.Generator()))
    assert torch.equal(quick, plain)


def test_no_folding_in_training_mode():
    """Batch norm statistics are measured without gradients in training mode."""
    layers = ImageLayers(nn.Conv2d(1, 4, (1, 3)), nn.BatchNorm2d(4), Dropout(0.5)).train()
    with torch.no_grad():
        out = layers(torch.randn(50, 1, 1, 9, generator=torch.Generator().manual_seed(0)))
    assert layers[1].num_batches_tracked == 1
    assert 0 < int(out.count_nonzero()) < out.numel()


def test_last_convolution_is_applied():
    layers = ImageLayers(nn.ReLU(), nn.Conv2d(1, 2, (1, 3)), nn.Conv2d(2, 1, (1, 3))).eval()
    quick, plain = both(layers, torch.randn(2, 1, 1, 9, generator=torch.Generator()))
    assert quick.shape == (2, 1, 1, 5)
    torch.testing.assert_close(quick, plain)
