"""Inception encoder."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ecgclf.modules._basic_layers import (
    GlobalPool,
    ImageLayers,
    as_image,
    channels_last,
    convolution,
    pool_globally,
    pooled_width,
)
from ecgclf.modules._beat_network import Encoder


class InceptionModule(nn.Module):
    """Parallel convolutions of several lengths and a max pooling, with batch norm and ReLU."""

    def __init__(
        self, channels: int, filters: int, kernel_sizes: Sequence[int], bottleneck: int
    ) -> None:
        super().__init__()
        width = bottleneck if channels > 1 else channels
        reduce = convolution(channels, width, 1, bias=False) if channels > 1 else []
        self.reduce = ImageLayers(*reduce)
        self.branches = nn.ModuleList(
            ImageLayers(*convolution(width, filters, size, bias=False)) for size in kernel_sizes
        )
        self.pooled = ImageLayers(
            nn.MaxPool2d((1, 3), stride=1, padding=(0, 1)),
            *convolution(channels, filters, 1, bias=False),
        )
        self.norm = nn.BatchNorm2d(filters * (len(kernel_sizes) + 1))

    def forward(self, x: Tensor) -> Tensor:
        """Transform images of shape (batch, channels, 1, samples)."""
        reduced = self.reduce(x)
        parts = [*(branch(reduced) for branch in self.branches), self.pooled(x)]
        return self.norm(torch.cat(parts, dim=1)).relu()


class InceptionEncoder(Encoder):
    """Inception encoder: modules of parallel convolutions with shortcuts, and a global pooling.

    A shortcut adds the input of each three modules to their output, before a ReLU.
    """

    def __init__(
        self,
        n_leads: int,
        n_samples: int,
        *,
        filters: int = 32,
        kernel_sizes: Sequence[int] = (39, 19, 9),
        bottleneck: int = 32,
        n_modules: int = 6,
        global_pool: GlobalPool = "avg",
    ) -> None:
        super().__init__()
        width = filters * (len(kernel_sizes) + 1)
        sizes = [n_leads, *[width] * n_modules]
        self.steps = nn.ModuleList(
            InceptionModule(size, filters, kernel_sizes, bottleneck) for size in sizes[:-1]
        )
        self.shortcuts = nn.ModuleList(
            ImageLayers(*convolution(size, width, 1, bias=False), nn.BatchNorm2d(width))
            for size in sizes[: n_modules // 3 * 3 : 3]
        )
        channels_last(self)
        self.global_pool = global_pool
        self.out_features = width * pooled_width(global_pool, n_samples)

    def forward(self, x: Tensor) -> Tensor:
        x = before = as_image(x)
        for i, step in enumerate(self.steps):
            x = step(x)
            if i % 3 == 2:
                x = before = (x + self.shortcuts[i // 3](before)).relu()
        return pool_globally(x, self.global_pool)
