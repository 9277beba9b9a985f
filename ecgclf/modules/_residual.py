"""Residual encoders."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from torch import Tensor, nn

from ecgclf.modules._basic_layers import (
    Dropout,
    GlobalPool,
    ImageLayers,
    as_image,
    channels_last,
    convolution,
    max_pooling,
    pool_globally,
    pooled_width,
)
from ecgclf.modules._beat_network import Encoder

#: Types of residual block; see `ecgclf.ECGResNetClassifier`.
Block = Literal["basic", "bottleneck", "xresnet", "pooled"]


@dataclass(frozen=True)
class ResidualStage:
    """Parameters of a stage: residual blocks of one width, the first one with a stride."""

    filters: int
    n_blocks: int = 1
    kernel_size: int = 5
    stride: int = 1


class SqueezeExcite(nn.Module):
    """Squeeze-and-excitation layer: scales the channels by weights computed from their means.

    ``x * sigmoid(W2 relu(W1 mean(x)))``, with the mean over time: equations 2 to 4 of Hu, Shen
    and Sun, "Squeeze-and-excitation networks", CVPR 2018, arXiv:1709.01507. The paper uses a
    reduction of 16, in networks with more channels.
    """

    def __init__(self, channels: int, reduction: int = 8) -> None:
        super().__init__()
        units = max(channels // reduction, 4)
        self.weigh = nn.Sequential(
            nn.Linear(channels, units), nn.ReLU(), nn.Linear(units, channels), nn.Sigmoid()
        )

    def forward(self, x: Tensor) -> Tensor:
        """Scale the channels of images of shape (batch, channels, 1, samples)."""
        return x * self.weigh(pool_globally(x, "avg"))[:, :, None, None]


class ResidualBlock(nn.Module):
    """Residual block, ``after(branch(x) + shortcut(x))``."""

    def __init__(self, branch: nn.Module, shortcut: nn.Module, after: nn.Module) -> None:
        super().__init__()
        self.branch = branch
        self.shortcut = shortcut
        self.after = after

    def forward(self, x: Tensor) -> Tensor:
        """Transform images of shape (batch, channels, 1, samples)."""
        return self.after(self.branch(x) + self.shortcut(x))


class ResidualEncoder(Encoder):
    """Residual encoder: a convolution, stages of residual blocks, and a global pooling.

    A number as a stage stands for one block of that many filters, with stride 2 except in the
    first stage. All convolutions and poolings pad with zeros to ``ceil(length / stride)``
    samples, so the encoder takes beats of any length.
    """

    def __init__(
        self,
        n_leads: int,
        n_samples: int,
        stages: Sequence[int | ResidualStage],
        *,
        block: Block = "basic",
        stem_filters: int | Sequence[int] = 32,
        stem_kernel_size: int = 7,
        stem_stride: int = 1,
        stem_pool_size: int | None = None,
        pool_size: int = 5,
        squeeze_excite: bool = False,
        block_dropout: float = 0.0,
        global_pool: GlobalPool = "avg_max",
    ) -> None:
        super().__init__()
        builder = _BlockBuilder(block, pool_size, squeeze_excite, block_dropout)
        parts: list[nn.Module] = []
        channels, length = n_leads, n_samples
        for i, filters in enumerate(np.atleast_1d(stem_filters).tolist()):
            stride = stem_stride if i == 0 else 1
            bias = block in ("bottleneck", "pooled")
            parts += convolution(channels, filters, stem_kernel_size, stride=stride, bias=bias)
            if block != "pooled":
                parts += _norm_relu(filters)
            channels, length = filters, math.ceil(length / stride)
        if stem_pool_size is not None:
            parts += max_pooling(stem_pool_size, 2)
            length = math.ceil(length / 2)
        for i, stage in enumerate(stages):
            if not isinstance(stage, ResidualStage):
                stage = ResidualStage(stage, stride=1 if i == 0 else 2)
            for j in range(stage.n_blocks):
                stride = stage.stride if j == 0 else 1
                parts.append(builder.build(channels, stage, stride, is_first=i == j == 0))
                channels, length = stage.filters, math.ceil(length / stride)
        if block == "bottleneck":
            parts += _norm_relu(channels)
        self.layers = ImageLayers(*parts)
        channels_last(self.layers)
        self.global_pool = global_pool
        self.out_features = channels * pooled_width(global_pool, length)

    def forward(self, x: Tensor) -> Tensor:
        return pool_globally(self.layers(as_image(x)), self.global_pool)


@dataclass(frozen=True)
class _BlockBuilder:
    """Builder of residual blocks of one type."""

    kind: Block
    pool_size: int
    squeeze_excite: bool
    dropout: float

    def build(
        self, channels: int, stage: ResidualStage, stride: int, *, is_first: bool
    ) -> ResidualBlock:
        """Build a block; `is_first` marks the first one of the network."""
        branch = self._branch(channels, stage, stride, is_first)
        if self.squeeze_excite:
            branch.append(SqueezeExcite(stage.filters))
        shortcut = self._shortcut(channels, stage.filters, stride)
        return ResidualBlock(
            *(ImageLayers(*part) for part in (branch, shortcut, self._after(stride)))
        )

    def _branch(
        self, channels: int, stage: ResidualStage, stride: int, is_first: bool
    ) -> list[nn.Module]:
        filters, size = stage.filters, stage.kernel_size
        narrow = math.ceil(filters / 4)
        dropout = [Dropout(self.dropout)] if self.dropout else []
        match self.kind:
            case "basic":
                return [
                    *_convolution_norm(channels, filters, size, stride),
                    nn.ReLU(inplace=True),
                    *dropout,
                    *_convolution_norm(filters, filters, size),
                ]
            case "xresnet":
                parts = [
                    *_convolution_norm(channels, narrow, 1),
                    nn.ReLU(inplace=True),
                    *_convolution_norm(narrow, narrow, size, stride),
                    nn.ReLU(inplace=True),
                    *dropout,
                    *_convolution_norm(narrow, filters, 1),
                ]
                nn.init.zeros_(parts[-1].get_parameter("weight"))
                return parts
            case "bottleneck":
                return [
                    *([] if is_first else _norm_relu(channels)),
                    *convolution(channels, narrow, 1, stride=stride),
                    *_norm_relu(narrow),
                    *convolution(narrow, narrow, size),
                    *_norm_relu(narrow),
                    *dropout,
                    *convolution(narrow, filters, 1),
                ]
            case "pooled":
                return [
                    *convolution(channels, filters, size),
                    nn.ReLU(inplace=True),
                    *dropout,
                    *convolution(filters, filters, size),
                ]

    def _shortcut(self, channels: int, filters: int, stride: int) -> list[nn.Module]:
        """Build the projection of the input to the shape of the branch output."""
        if self.kind in ("basic", "xresnet"):
            # A strided convolution with kernel size 1 would skip samples.
            mean = nn.AvgPool2d((1, stride), ceil_mode=True, count_include_pad=False)
            return [
                *([mean] if stride > 1 else []),
                *(_convolution_norm(channels, filters, 1) if channels != filters else []),
            ]
        if self.kind == "pooled":
            stride = 1  # the pooling has the stride
        if channels == filters and stride == 1:
            return []
        return convolution(channels, filters, 1, stride=stride)

    def _after(self, stride: int) -> list[nn.Module]:
        """Build the layers after the sum."""
        layers: list[nn.Module] = []
        if self.kind != "bottleneck":
            layers.append(nn.ReLU(inplace=True))
        if self.kind == "pooled" and stride > 1:
            layers += max_pooling(self.pool_size, stride)
        return layers


def _norm_relu(channels: int) -> list[nn.Module]:
    return [nn.BatchNorm2d(channels), nn.ReLU(inplace=True)]


def _convolution_norm(
    channels: int, filters: int, kernel_size: int, stride: int = 1
) -> list[nn.Module]:
    """Build a convolution without bias and a batch norm."""
    parts = convolution(channels, filters, kernel_size, stride=stride, bias=False)
    return [*parts, nn.BatchNorm2d(filters)]
