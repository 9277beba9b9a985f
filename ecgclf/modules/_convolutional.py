"""A stack of one-dimensional convolutions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

from ecgclf.modules._dropout import Dropout
from ecgclf.modules._image import (
    GlobalPool,
    as_image,
    channels_last,
    convolution,
    max_pooling,
    pool_globally,
    pooled_width,
)
from ecgclf.modules._inference import ImageLayers
from ecgclf.modules._network import Encoder


@dataclass(frozen=True)
class ConvLayer:
    """One convolution and what follows it.

    Parameters
    ----------
    filters, kernel_size, stride, dilation : int
        Of the convolution.
    pool_size, pool_stride : int
        Of the max pooling after it; a size of 1 means none.
    dropout, pool_dropout : float
        Before and after the pooling.

    Examples
    --------
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
        """Length of the signal after the convolution and after the pooling."""
        if padding == "same":
            convolved = math.ceil(length / self.stride)
            pooled = math.ceil(convolved / self.pool_stride)
        else:
            reach = self.dilation * (self.kernel_size - 1)
            convolved = (length - reach - 1) // self.stride + 1
            pooled = (convolved - self.pool_size) // self.pool_stride + 1
        return convolved, pooled if self.pool_size > 1 else convolved


def encoded_length(layers: Sequence[ConvLayer], n_samples: int, padding: str) -> int:
    """Find the length that a signal has after all layers.

    Parameters
    ----------
    layers : sequence of ConvLayer
    n_samples : int
    padding : {"same", "valid"}

    Returns
    -------
    int
        0 if the signal is too short for them.

    Examples
    --------
    >>> encoded_length([ConvLayer(8, kernel_size=5), ConvLayer(8, kernel_size=3)], 100, "valid")
    94
    """
    for layer in layers:
        convolved, n_samples = layer.lengths(n_samples, padding)
        if min(convolved, n_samples) < 1:
            return 0
    return n_samples


def minimum_length(layers: Sequence[ConvLayer], padding: str) -> int:
    """Find the shortest beat that layers can encode.

    Parameters
    ----------
    layers : sequence of ConvLayer
    padding : {"same", "valid"}

    Returns
    -------
    int
        In samples.

    Examples
    --------
    >>> minimum_length([ConvLayer(8, kernel_size=5), ConvLayer(8, kernel_size=3)], "valid")
    7
    """
    n_samples = 1
    while encoded_length(layers, n_samples, padding) < 1:
        n_samples += 1
    return n_samples


class ConvEncoder(Encoder):
    """Convolutions, each with batch norm, ReLU and pooling, then a global pooling.

    Parameters
    ----------
    n_leads, n_samples : int
        Shape of one beat.
    filters : sequence of int, or of ConvLayer
        The layers; plain numbers are layers of that many filters with kernel 5.
    padding : {"same", "valid"}, default="same"
        "same" keeps ``ceil(length / stride)`` samples at every layer, the shorter half of
        the zeros standing in front; "valid" pads nothing.
    batch_norm : bool, default=True
        Batch norm between each convolution and its ReLU; the convolution then has no bias.
    global_pool : {"avg", "max", "avg_max"} or None, default="avg_max"
        How the time axis ends: its mean, its maximum, both, or all of it flattened.

    Attributes
    ----------
    out_features : int
        Width of the output.
    out_channels, out_length : int
        Shape of what the layers give, before the global pooling.

    Notes
    -----
    Inside, a signal ``(batch, leads, samples)`` is an image of height 1 in channels-last
    memory: on a CPU the same convolutions then train about a third faster.

    Examples
    --------
    >>> import torch
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
        """Give what the layers make of beats, of shape (batch, out_channels, out_length)."""
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
