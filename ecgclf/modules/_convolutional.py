"""Convolutional encoders of signals and of spectrograms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Literal

import torch
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


@dataclass(frozen=True)
class ConvLayer:
    """Parameters of one convolution with its pooling and dropout; a window of 1 is no pooling.

    The two dropout rates are those before and after the pooling.
    """

    filters: int
    kernel_size: int = 5
    stride: int = 1
    dilation: int = 1
    pool_size: int = 1
    pool_stride: int = 1
    dropout: float = 0.0
    pool_dropout: float = 0.0

    def lengths(self, length: int, padding: str) -> tuple[int, int]:
        """Compute the length of a signal after the convolution and after the pooling."""
        reach = self.dilation * (self.kernel_size - 1) + 1
        convolved = _n_windows(length, reach, self.stride, padding)
        if self.pool_size == 1:
            return convolved, convolved
        return convolved, _n_windows(convolved, self.pool_size, self.pool_stride, padding)


def _n_windows(length: int, size: int, stride: int, padding: str) -> int:
    """Count the windows in a signal, 0 if it is too short for one."""
    if padding == "same":
        return math.ceil(length / stride)
    return max(0, (length - size) // stride + 1)


def encoded_length(layers: Sequence[ConvLayer], n_samples: int, padding: str) -> int:
    """Compute the length of a signal after all layers; 0 if it is too short for them."""
    for layer in layers:
        _, n_samples = layer.lengths(n_samples, padding)
    return n_samples


def minimum_length(layers: Sequence[ConvLayer], padding: str) -> int:
    """Compute the shortest length in samples that the layers can encode."""
    return next(n for n in count(1) if encoded_length(layers, n, padding))


class ConvEncoder(Encoder):
    """Convolutional encoder.

    Each convolution is followed by batch norm, ReLU and max pooling; a global pooling over
    time ends the encoder. A number as a layer stands for that many filters. `out_channels` and
    `out_length` are the shape of a beat before the global pooling.
    """

    def __init__(
        self,
        n_leads: int,
        n_samples: int,
        filters: Sequence[int] | Sequence[ConvLayer],
        *,
        padding: Literal["same", "valid"] = "same",
        batch_norm: bool = True,
        global_pool: GlobalPool = "avg_max",
    ) -> None:
        super().__init__()
        layers = [f if isinstance(f, ConvLayer) else ConvLayer(f) for f in filters]
        parts: list[nn.Module] = []
        channels = n_leads
        for layer in layers:
            parts += _layer_modules(layer, channels, padding, batch_norm)
            channels = layer.filters
        last_dropout = parts.pop() if layers[-1].pool_dropout else nn.Identity()
        self.layers = ImageLayers(*parts)
        channels_last(self.layers)
        self.global_pool = global_pool
        self.last_dropout = last_dropout
        self.out_channels = channels
        self.out_length = encoded_length(layers, n_samples, padding)
        self.out_features = channels * pooled_width(global_pool, self.out_length)

    def forward(self, x: Tensor) -> Tensor:
        return self.last_dropout(pool_globally(self.layers(as_image(x)), self.global_pool))

    def sequence(self, x: Tensor) -> Tensor:
        """Encode beats to (batch, out_channels, out_length), without the global pooling."""
        return self.last_dropout(self.layers(as_image(x)).squeeze(2))


def _layer_modules(
    layer: ConvLayer, in_channels: int, padding: str, batch_norm: bool
) -> list[nn.Module]:
    modules = convolution(
        in_channels,
        layer.filters,
        layer.kernel_size,
        stride=layer.stride,
        dilation=layer.dilation,
        padding=padding,
        bias=not batch_norm,
    )
    if batch_norm:
        modules.append(nn.BatchNorm2d(layer.filters))
    modules.append(nn.ReLU(inplace=True))
    if layer.dropout:
        modules.append(Dropout(layer.dropout))
    if layer.pool_size > 1:
        modules += max_pooling(layer.pool_size, layer.pool_stride, padding=padding)
    if layer.pool_dropout:
        modules.append(Dropout(layer.pool_dropout))
    return modules


class SpectrogramEncoder(Encoder):
    """Encoder of spectrograms with two-dimensional convolutions.

    Each convolution is followed by batch norm, ReLU and max pooling of 2 by 2; the mean and the
    maximum over time and frequency end the encoder.
    """

    def __init__(self, filters: Sequence[int], kernel_size: int = 3) -> None:
        super().__init__()
        before = (kernel_size - 1) // 2
        layers: list[nn.Module] = []
        channels = 1
        for n_filters in filters:
            if kernel_size % 2 == 0:  # a convolution can only pad both sides equally
                layers.append(nn.ZeroPad2d((0, 1, 0, 1)))
            layers += [
                nn.Conv2d(channels, n_filters, kernel_size, padding=before, bias=False),
                nn.BatchNorm2d(n_filters),
                nn.ReLU(inplace=True),
                nn.MaxPool2d(2, ceil_mode=True),
            ]
            channels = n_filters
        self.layers = ImageLayers(*layers)
        channels_last(self.layers)
        self.out_features = 2 * channels

    def forward(self, x: Tensor) -> Tensor:
        """Encode spectrograms (batch, n_freqs, n_frames) to (batch, out_features)."""
        x = self.layers(x.unsqueeze(1).contiguous(memory_format=torch.channels_last))
        return pool_globally(x, "avg_max")
