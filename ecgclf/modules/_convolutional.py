"""Convolutional encoders of signals and of spectrograms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
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
    """Parameters of one convolution with its pooling and dropout.

    Parameters
    ----------
    filters : int
        Number of filters.
    kernel_size, stride, dilation : int
        Kernel size, stride and dilation of the convolution, in samples.
    pool_size, pool_stride : int
        Window and stride of the max pooling after the convolution. A window of 1 means no
        pooling.
    dropout, pool_dropout : float
        Dropout rates before and after the pooling.

    Examples
    --------
    >>> from ecgclf.modules import ConvLayer
    >>> ConvLayer(8, kernel_size=5, stride=2, pool_size=2, pool_stride=2).lengths(187, "same")
    (94, 47)
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
        """Compute the length of the signal after the convolution and after the pooling.

        Parameters
        ----------
        length : int
            Length of the input in samples.
        padding : {"same", "valid"}
            Padding of the convolution.

        Returns
        -------
        tuple of two ints
            Length after the convolution, and length after the pooling.
        """
        if padding == "same":
            convolved = math.ceil(length / self.stride)
            pooled = math.ceil(convolved / self.pool_stride)
        else:
            reach = self.dilation * (self.kernel_size - 1)
            convolved = (length - reach - 1) // self.stride + 1
            pooled = (convolved - self.pool_size) // self.pool_stride + 1
        return convolved, pooled if self.pool_size > 1 else convolved


def encoded_length(layers: Sequence[ConvLayer], n_samples: int, padding: str) -> int:
    """Compute the length of a signal after all layers; 0 if it is too short for them."""
    for layer in layers:
        convolved, n_samples = layer.lengths(n_samples, padding)
        if min(convolved, n_samples) < 1:
            return 0
    return n_samples


def minimum_length(layers: Sequence[ConvLayer], padding: str) -> int:
    """Compute the shortest length in samples that the layers can encode."""
    n_samples = 1
    while encoded_length(layers, n_samples, padding) < 1:
        n_samples += 1
    return n_samples


class ConvEncoder(Encoder):
    """Convolutional encoder.

    Each convolution is followed by batch norm, ReLU and max pooling; a global pooling over
    time ends the encoder.

    Parameters
    ----------
    n_leads, n_samples : int
        Shape of one beat.
    filters : sequence of int or of ConvLayer
        The layers. A number stands for a layer of that many filters with kernel size 5.
    padding : {"same", "valid"}, default="same"
        "same" pads with zeros to ``ceil(length / stride)`` samples at every layer, the smaller
        half in front; "valid" does not pad.
    batch_norm : bool, default=True
        Whether to put batch norm between each convolution and its ReLU. The convolution then
        has no bias.
    global_pool : {"avg", "max", "avg_max"} or None, default="avg_max"
        Pooling over time at the end: mean, maximum, or both. None flattens instead.

    Attributes
    ----------
    out_features : int
        Width of the output.
    out_channels, out_length : int
        Shape of a beat after the layers, before the global pooling.

    Examples
    --------
    >>> import torch
    >>> from ecgclf.modules import ConvEncoder
    >>> encoder = ConvEncoder(n_leads=1, n_samples=187, filters=(16, 32))
    >>> encoder(torch.zeros(4, 1, 187)).shape
    torch.Size([4, 64])
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
        """Encode beats of shape (batch, n_leads, n_samples) to (batch, out_features)."""
        return self.last_dropout(pool_globally(self.layers(as_image(x)), self.global_pool))

    def sequence(self, x: Tensor) -> Tensor:
        """Encode beats without the global pooling.

        Parameters
        ----------
        x : Tensor of shape (batch, n_leads, n_samples)
            Signals of the beats.

        Returns
        -------
        Tensor of shape (batch, out_channels, out_length)
        """
        return self.last_dropout(self.layers(as_image(x)).squeeze(2))


def _layer_modules(
    layer: ConvLayer, in_channels: int, padding: str, batch_norm: bool
) -> list[nn.Module]:
    """Build the modules of one layer."""
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

    Parameters
    ----------
    filters : sequence of int
        Number of filters of each convolution.
    kernel_size : int, default=3
        Height and width of the kernels. The input is padded with zeros.

    Examples
    --------
    >>> import torch
    >>> from ecgclf.modules import SpectrogramEncoder
    >>> SpectrogramEncoder((8, 16))(torch.zeros(4, 33, 20)).shape
    torch.Size([4, 32])
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
