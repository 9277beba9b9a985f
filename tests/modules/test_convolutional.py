"""Convolutional encoders, compared with torch."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from ecgclf.modules import (
    ConvEncoder,
    ConvLayer,
    SpectrogramEncoder,
    encoded_length,
    minimum_length,
)
from ecgclf.modules._basic_layers import pool_globally

some = settings(max_examples=60, deadline=None)

layers = st.builds(
    ConvLayer,
    filters=st.integers(1, 3),
    kernel_size=st.integers(1, 8),
    stride=st.integers(1, 4),
    dilation=st.integers(1, 3),
    pool_size=st.integers(1, 5),
    pool_stride=st.integers(1, 5),
)
stacks = st.lists(layers, min_size=1, max_size=3)
paddings = st.sampled_from(["same", "valid"])


def lengths_inside(encoder: ConvEncoder, n_leads: int, n_samples: int) -> list[int]:
    """Length after every convolution and pooling, as torch computes it."""
    found: list[int] = []
    for part in encoder.layers:
        if isinstance(part, (nn.Conv2d, nn.MaxPool2d)):
            part.register_forward_hook(lambda module, x, out: found.append(out.shape[-1]))
    encoder.eval()(torch.zeros(2, n_leads, n_samples))
    return found


@some
@given(stack=stacks, padding=paddings, n_leads=st.integers(1, 3), extra=st.integers(0, 40))
def test_lengths_equal_those_of_torch(stack, padding, n_leads, extra):
    n_samples = minimum_length(stack, padding) + extra
    encoder = ConvEncoder(n_leads, n_samples, stack, padding=padding, global_pool=None)
    expected, length = [], n_samples
    for layer in stack:
        convolved, length = layer.lengths(length, padding)
        expected += [convolved, length] if layer.pool_size > 1 else [convolved]
    assert lengths_inside(encoder, n_leads, n_samples) == expected
    assert encoded_length(stack, n_samples, padding) == expected[-1]
    out = encoder(torch.zeros(2, n_leads, n_samples))
    assert out.shape == (2, encoder.out_features)
    assert encoder.out_features == stack[-1].filters * expected[-1]


@some
@given(stack=stacks, padding=paddings)
def test_minimum_length_is_the_smallest_valid_length(stack, padding):
    shortest = minimum_length(stack, padding)
    assert encoded_length(stack, shortest, padding) >= 1
    if padding == "same":
        assert shortest == 1
    elif shortest > 1:
        assert encoded_length(stack, shortest - 1, padding) == 0
        encoder = ConvEncoder(1, shortest, stack, padding=padding)
        assert encoder.eval()(torch.zeros(1, 1, shortest)).shape == (1, encoder.out_features)
        with pytest.raises(RuntimeError):  # torch refuses it too
            encoder(torch.zeros(1, 1, shortest - 1))


@some
@given(layer=layers, length=st.integers(1, 100))
def test_same_padding_divides_the_length_by_the_strides(layer, length):
    convolved, pooled = layer.lengths(length, "same")
    assert convolved == math.ceil(length / layer.stride)
    expected = math.ceil(convolved / layer.pool_stride) if layer.pool_size > 1 else convolved
    assert pooled == expected


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel:UserWarning")
@pytest.mark.parametrize("kernel_size", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("dilation", [1, 2, 3])
def test_same_padding_equals_torch(kernel_size, dilation):
    """With a stride of 1, torch implements "same" padding, also for even kernels."""
    x = torch.randn(3, 2, 30, generator=torch.Generator().manual_seed(0))
    encoder = ConvEncoder(
        2, 30, [ConvLayer(4, kernel_size, dilation=dilation)], batch_norm=False, global_pool=None
    )
    conv = next(m for m in encoder.layers if isinstance(m, nn.Conv2d))
    expected = F.conv1d(
        x, conv.weight[:, :, 0], conv.bias, padding="same", dilation=dilation
    ).relu()
    torch.testing.assert_close(encoder(x), expected.flatten(1))


@pytest.mark.parametrize(("pool_size", "pool_stride"), [(2, 1), (3, 1), (3, 2), (5, 2), (4, 4)])
def test_same_pooling_windows(pool_size, pool_stride):
    """Each output is the maximum of a window that may extend beyond the ends."""
    length = 12
    layer = ConvLayer(1, 1, pool_size=pool_size, pool_stride=pool_stride)
    encoder = ConvEncoder(1, length, [layer], batch_norm=False, global_pool=None)
    with torch.no_grad():
        encoder.layers[0].weight.fill_(1.0)
        encoder.layers[0].bias.fill_(0.0)
    x = torch.rand(1, 1, length, generator=torch.Generator().manual_seed(0))
    before = max(pool_size - pool_stride, 0) // 2
    windows = [
        x[0, 0, max(start, 0) : start + pool_size]
        for start in range(-before, length - before, pool_stride)
    ]
    expected = torch.stack([window.max() for window in windows])
    torch.testing.assert_close(encoder(x)[0], expected)
    assert len(expected) == math.ceil(length / pool_stride)


@pytest.mark.parametrize(
    ("global_pool", "width"), [("avg", 6), ("max", 6), ("avg_max", 12), (None, 6 * 25)]
)
def test_global_pooling(global_pool, width):
    encoder = ConvEncoder(2, 50, [ConvLayer(6, stride=2)], global_pool=global_pool).eval()
    x = torch.randn(4, 2, 50, generator=torch.Generator().manual_seed(0))
    out = encoder(x)
    assert out.shape == (4, width)
    assert encoder.out_features == width
    inside = encoder.layers(x.unsqueeze(2)).squeeze(2)
    parts = {
        "avg": [inside.mean(2)],
        "max": [inside.max(2).values],
        "avg_max": [inside.mean(2), inside.max(2).values],
        None: [inside.flatten(1)],
    }[global_pool]
    torch.testing.assert_close(out, torch.cat(parts, dim=1))


@pytest.mark.parametrize("shape", [(4, 6, 1, 25), (2, 3, 7, 5)])
@pytest.mark.parametrize("global_pool", ["avg", "max", "avg_max"])
def test_global_pooling_has_the_gradient_of_mean_and_amax(global_pool, shape):
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(shape, generator=draw).contiguous(memory_format=torch.channels_last)
    plain = {"avg": [torch.mean], "max": [torch.amax], "avg_max": [torch.mean, torch.amax]}
    ours, theirs = x.clone().requires_grad_(), x.clone().requires_grad_()
    pooled = pool_globally(ours, global_pool)
    expected = torch.cat([f(theirs, dim=(2, 3)) for f in plain[global_pool]], dim=1)
    assert torch.equal(pooled, expected)
    weight = torch.randn(pooled.shape, generator=draw)
    (pooled * weight).sum().backward()
    (expected * weight).sum().backward()
    torch.testing.assert_close(ours.grad, theirs.grad)


def test_numbers_are_layers_of_kernel_size_5():
    kernels = [
        m.kernel_size for m in ConvEncoder(1, 50, (3, 4)).layers if isinstance(m, nn.Conv2d)
    ]
    assert kernels == [(1, 5), (1, 5)]


def test_batch_norm_replaces_the_bias():
    for batch_norm in (True, False):
        parts = list(ConvEncoder(1, 50, (3, 4), batch_norm=batch_norm).layers)
        assert sum(isinstance(m, nn.BatchNorm2d) for m in parts) == 2 * batch_norm
        convolutions = [m for m in parts if isinstance(m, nn.Conv2d)]
        assert all((m.bias is None) == batch_norm for m in convolutions)


@pytest.mark.parametrize("global_pool", ["avg", None])
def test_position_of_dropout(global_pool):
    stack = [
        ConvLayer(8, pool_size=2, pool_stride=2, dropout=0.1, pool_dropout=0.2),
        ConvLayer(8, dropout=0.3, pool_dropout=0.4),
    ]
    encoder = ConvEncoder(1, 50, stack, batch_norm=False, global_pool=global_pool)
    names = [type(m).__name__ + str(getattr(m, "p", "")) for m in encoder.layers]
    assert names == ["Conv2d", "ReLU", "Dropout0.1", "MaxPool", "Dropout0.2", "Conv2d", "ReLU",
                     "Dropout0.3"]  # fmt: skip
    assert encoder.last_dropout.p == 0.4
    encoder.eval()
    x = torch.ones(2, 1, 50)
    assert torch.equal(encoder(x), encoder(x))


@pytest.mark.parametrize("shape", [(1, 1), (3, 50), (64, 7)])
def test_spectrograms_of_any_size(shape):
    encoder = SpectrogramEncoder((4, 8, 8, 8)).eval()
    assert encoder(torch.zeros(2, *shape)).shape == (2, 16)
