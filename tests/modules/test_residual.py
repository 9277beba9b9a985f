"""Residual encoders, compared with Conv1d and with parameter counts by hand."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from ecgclf.modules import (
    Dropout,
    ResidualBlock,
    ResidualEncoder,
    ResidualStage,
    SqueezeExcite,
)

BLOCKS = ["basic", "bottleneck", "pooled"]
some = settings(max_examples=40, deadline=None)


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def n_parameters(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def blocks_of(encoder: ResidualEncoder) -> list[ResidualBlock]:
    return [part for part in encoder.layers if isinstance(part, ResidualBlock)]


class Basic1d(nn.Module):
    """Strided post-activation block with Conv1d."""

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(c_in, c_out, 5, stride=2, padding=2, bias=False)
        self.bn1 = nn.BatchNorm1d(c_out)
        self.conv2 = nn.Conv1d(c_out, c_out, 5, padding=2, bias=False)
        self.bn2 = nn.BatchNorm1d(c_out)
        self.project = nn.Conv1d(c_in, c_out, 1, bias=False)
        self.bn3 = nn.BatchNorm1d(c_out)

    def forward(self, x: Tensor) -> Tensor:
        out = self.bn2(self.conv2(self.bn1(self.conv1(x)).relu()))
        pairs = [x[:, :, i : i + 2].mean(2) for i in range(0, x.shape[2], 2)]
        return (out + self.bn3(self.project(torch.stack(pairs, dim=2)))).relu()


class Bottleneck1d(nn.Module):
    """Strided pre-activation bottleneck with Conv1d."""

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm1d(c_in)
        self.conv1 = nn.Conv1d(c_in, c_out // 4, 1, stride=2)
        self.bn2 = nn.BatchNorm1d(c_out // 4)
        self.conv2 = nn.Conv1d(c_out // 4, c_out // 4, 3, padding=1)
        self.bn3 = nn.BatchNorm1d(c_out // 4)
        self.conv3 = nn.Conv1d(c_out // 4, c_out, 1)
        self.project = nn.Conv1d(c_in, c_out, 1, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        out = self.conv1(self.bn1(x).relu())
        out = self.conv2(self.bn2(out).relu())
        return self.conv3(self.bn3(out).relu()) + self.project(x)


class Pooled1d(nn.Module):
    """Block of Kachuee et al. with Conv1d."""

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(c_in, c_out, 5, padding=2)
        self.conv2 = nn.Conv1d(c_out, c_out, 5, padding=2)
        self.project = nn.Conv1d(c_in, c_out, 1)

    def forward(self, x: Tensor) -> Tensor:
        out = self.conv2(self.conv1(x).relu())
        # 24 windows of 5 on 47 samples; the first window starts one sample before the signal.
        return F.max_pool1d(F.pad((out + self.project(x)).relu(), (1, 3)), 5, stride=2)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(
    ("kind", "plain", "kernel_size"),
    [("basic", Basic1d, 5), ("bottleneck", Bottleneck1d, 3), ("pooled", Pooled1d, 5)],
)
def test_block_equals_conv1d(kind, plain, kernel_size, training, generator):
    stages = [ResidualStage(8), ResidualStage(16, kernel_size=kernel_size, stride=2)]
    block = blocks_of(ResidualEncoder(1, 47, stages, block=kind))[1]
    expected = plain(8, 16)
    with torch.no_grad():
        for p in block.parameters():  # also of batch norms, whose initial values hide errors
            p.copy_(torch.randn(p.shape, generator=generator))
    weights = dict(block.state_dict())
    copied = {
        name: weight.reshape(value.shape)
        for (name, value), weight in zip(expected.state_dict().items(), weights.values())
    }
    assert len(copied) == len(weights)
    expected.load_state_dict(copied)
    x = torch.randn(6, 8, 47, generator=generator)
    block.train(training)
    expected.train(training)
    out = block(x.clone().unsqueeze(2)).squeeze(2)
    assert out.shape == (6, 16, 24)
    torch.testing.assert_close(out, expected(x), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", BLOCKS)
def test_shortcut_is_the_identity_for_equal_shapes(kind):
    stages = [ResidualStage(8, n_blocks=3), ResidualStage(12, n_blocks=2)]
    encoder = ResidualEncoder(1, 47, stages, block=kind, stem_filters=8)
    assert [n_parameters(b.shortcut) > 0 for b in blocks_of(encoder)] == [
        False, False, False, True, False,
    ]  # fmt: skip
    x = torch.randn(2, 8, 1, 47, generator=torch.Generator().manual_seed(0))
    assert torch.equal(blocks_of(encoder)[0].shortcut(x), x)


def test_shortcut_of_an_odd_length():
    """The last of five samples is averaged alone."""
    stage = ResidualStage(1, stride=2)
    block = blocks_of(ResidualEncoder(1, 5, [stage], stem_filters=1))[0]
    x = torch.arange(1.0, 6.0).reshape(1, 1, 1, 5)
    assert block.shortcut(x).flatten().tolist() == [1.5, 3.5, 5.0]


@pytest.mark.parametrize("pool_size", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("length", [1, 2, 9, 10])
def test_pooling_windows(pool_size, length, generator):
    """Each output is the maximum of a window that may extend beyond the ends."""
    stage = ResidualStage(1, stride=2)
    encoder = ResidualEncoder(
        1, length, [stage], block="pooled", stem_filters=1, pool_size=pool_size
    )
    x = torch.rand(1, 1, 1, length, generator=generator)
    before = max(pool_size - 2, 0) // 2
    windows = [
        x.flatten()[max(start, 0) : start + pool_size]
        for start in range(-before, length - before, 2)
    ]
    pooling = blocks_of(encoder)[0].after
    torch.testing.assert_close(
        pooling(x.clone()).flatten(), torch.stack([w.max() for w in windows])
    )
    assert len(windows) == math.ceil(length / 2)


@some
@given(
    stages=st.lists(
        st.builds(
            ResidualStage,
            filters=st.integers(1, 6),
            n_blocks=st.integers(1, 2),
            kernel_size=st.integers(1, 8),
            stride=st.integers(1, 4),
        ),
        min_size=1,
        max_size=3,
    ),
    kind=st.sampled_from(BLOCKS),
    n_leads=st.integers(1, 3),
    n_samples=st.integers(1, 60),
    stem_stride=st.integers(1, 3),
    global_pool=st.sampled_from(["avg", "max", "avg_max", None]),
    squeeze_excite=st.booleans(),
)
def test_any_length(stages, kind, n_leads, n_samples, stem_stride, global_pool, squeeze_excite):
    encoder = ResidualEncoder(
        n_leads, n_samples, stages, block=kind, stem_filters=3, stem_stride=stem_stride,
        global_pool=global_pool, squeeze_excite=squeeze_excite,
    ).eval()  # fmt: skip
    length = math.ceil(n_samples / stem_stride)
    for stage in stages:
        length = math.ceil(length / stage.stride)
    width = {"avg": 1, "max": 1, "avg_max": 2, None: length}[global_pool]
    out = encoder(torch.zeros(2, n_leads, n_samples))
    assert out.shape == (2, encoder.out_features) == (2, stages[-1].filters * width)


def test_numbers_are_stages_with_stride_2():
    of_numbers = ResidualEncoder(1, 50, (4, 8), global_pool=None)
    stages = [ResidualStage(4, 1, 5, 1), ResidualStage(8, 1, 5, 2)]
    of_stages = ResidualEncoder(1, 50, stages, global_pool=None)
    assert str(of_numbers) == str(of_stages)
    assert of_numbers.out_features == 8 * 25


def test_squeeze_and_excitation_by_its_equations(generator):
    layer = SqueezeExcite(64)
    w1, b1, w2, b2 = layer.parameters()
    assert w1.shape == (8, 64)
    assert SqueezeExcite(16).weigh[0].out_features == 4
    x = torch.randn(3, 64, 1, 20, generator=generator)
    squeezed = x.sum(dim=3).squeeze(2) / 20
    excited = 1 / (1 + torch.exp(-((squeezed @ w1.T + b1).clamp(min=0) @ w2.T + b2)))
    expected = torch.einsum("nchw,nc->nchw", x, excited)
    torch.testing.assert_close(layer(x), expected)


@pytest.mark.parametrize("kind", BLOCKS)
def test_squeeze_and_excitation_ends_every_branch(kind):
    plain = ResidualEncoder(1, 50, (16, 64), block=kind)
    weighed = ResidualEncoder(1, 50, (16, 64), block=kind, squeeze_excite=True)
    assert all(isinstance(b.branch[-1], SqueezeExcite) for b in blocks_of(weighed))
    # 16 channels to 4 units and back, 64 to 8 and back.
    more = 16 * 4 + 4 + 4 * 16 + 16 + 64 * 8 + 8 + 8 * 64 + 64
    assert n_parameters(weighed) - n_parameters(plain) == more


@pytest.mark.parametrize("kind", BLOCKS)
def test_position_of_dropout(kind):
    encoder = ResidualEncoder(1, 50, (4, 8), block=kind, block_dropout=0.25)
    for block in blocks_of(encoder):
        names = [type(m).__name__ for m in block.branch]
        assert names.count("Dropout") == 1
        assert names[names.index("Dropout") + 1 :] in (["Conv2d"], ["Conv2d", "BatchNorm2d"])
    parts = [m for m in encoder.modules() if isinstance(m, Dropout)]
    assert [m.p for m in parts] == [0.25, 0.25]


def test_parameter_count_of_basic_blocks():
    # Stem; a block of 8; a block of 8 to 16 with its projection. A batch norm has 2 a channel.
    expected = 3 * 8 * 7 + 16 + 2 * (8 * 8 * 5 + 16)
    expected += 8 * 16 * 5 + 32 + 16 * 16 * 5 + 32 + 8 * 16 + 32
    assert n_parameters(ResidualEncoder(3, 50, (8, 16), stem_filters=8)) == expected


def test_parameter_count_of_bottlenecks():
    stages = [ResidualStage(16, 2, 3), ResidualStage(32, 1, 3, 2)]
    encoder = ResidualEncoder(2, 50, stages, block="bottleneck", stem_filters=8)
    stem = 2 * 8 * 7 + 8 + 16
    first = (8 * 4 + 4 + 8) + (4 * 4 * 3 + 4 + 8) + (4 * 16 + 16) + (8 * 16 + 16)
    second = 32 + (16 * 4 + 4 + 8) + (4 * 4 * 3 + 4 + 8) + (4 * 16 + 16)
    third = 32 + (16 * 8 + 8 + 16) + (8 * 8 * 3 + 8 + 16) + (8 * 32 + 32) + (16 * 32 + 32)
    assert n_parameters(encoder) == stem + first + second + third + 64


def test_first_bottleneck_omits_its_activation():
    encoder = ResidualEncoder(1, 50, (8, 16), block="bottleneck")
    first, second = blocks_of(encoder)
    assert isinstance(first.branch[0], nn.Conv2d)
    assert isinstance(second.branch[0], nn.BatchNorm2d)
    assert [type(m).__name__ for m in encoder.layers] == [
        "Conv2d", "BatchNorm2d", "ReLU", "ResidualBlock", "ResidualBlock", "BatchNorm2d", "ReLU",
    ]  # fmt: skip
