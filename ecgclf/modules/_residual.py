"""Residual encoders."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
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

#: Types of residual block; see `ResidualEncoder`.
Block = Literal["basic", "bottleneck", "xresnet", "pooled"]


@dataclass(frozen=True)
class ResidualStage:
    """Parameters of a stage: residual blocks of one width.

    Parameters
    ----------
    filters : int
        Number of output channels of each block.
    n_blocks : int, default=1
        Number of blocks.
    kernel_size : int, default=5
        Kernel size of the convolutions.
    stride : int, default=1
        Stride of the first block.

    Examples
    --------
    >>> from ecgclf.modules import ResidualStage
    >>> ResidualStage(64, n_blocks=2, stride=2)
    ResidualStage(filters=64, n_blocks=2, kernel_size=5, stride=2)
    """

    filters: int
    n_blocks: int = 1
    kernel_size: int = 5
    stride: int = 1


class SqueezeExcite(nn.Module):
    """Squeeze-and-excitation layer: scales the channels by weights computed from their means.

    ``x * sigmoid(W2 relu(W1 mean(x)))``, with the mean over time: equations 2 to 4 of Hu et al.

    Parameters
    ----------
    channels : int
        Number of channels.
    reduction : int, default=8
        Number of channels for each unit of the hidden layer, which has at least 4 units.

    References
    ----------
    Hu, Shen and Sun, "Squeeze-and-excitation networks", CVPR 2018, arXiv:1709.01507. The
    paper uses a reduction of 16, in networks with more channels.
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
    """Residual block, ``after(branch(x) + shortcut(x))``.

    Parameters
    ----------
    branch, shortcut, after : Module
        The three parts. The outputs of `branch` and `shortcut` have the same shape.
    """

    def __init__(self, branch: nn.Module, shortcut: nn.Module, after: nn.Module) -> None:
        super().__init__()
        self.branch = branch
        self.shortcut = shortcut
        self.after = after

    def forward(self, x: Tensor) -> Tensor:
        """Transform images of shape (batch, channels, 1, samples)."""
        return self.after(self.branch(x) + self.shortcut(x))


class ResidualEncoder(Encoder):
    r"""Residual encoder: a convolution, stages of residual blocks, and a global pooling.

    Parameters
    ----------
    n_leads, n_samples : int
        Shape of one beat.
    stages : sequence of int or of ResidualStage
        The stages. A number stands for a stage of one block with that many filters and kernel
        size 5, and with stride 2 except in the first stage.
    block : {"basic", "bottleneck", "xresnet", "pooled"}, default="basic"
        Type of the blocks. With the input ``x`` of a block, its output ``y``, batch norm
        ``BN``, a convolution ``Ck`` with the kernel size of the stage and ``C1`` with kernel
        size 1:

        - "basic": ``y = ReLU(BN(Ck(ReLU(BN(Ck(x))))) + x)``. The first convolution has the
          stride. Convolutions have no bias [1]_.
        - "bottleneck": ``y = C1(r(Ck(r(C1(r(x)))))) + x`` with ``r(x) = ReLU(BN(x))``. The
          first two convolutions have a quarter of the filters, and the first one has the
          stride. The first block omits its first ``r``, which the stem applies; a final ``r``
          follows the last stage [2]_.
        - "xresnet": ``y = ReLU(BN(C1(ReLU(BN(Ck(ReLU(BN(C1(x)))))))) + x)``. The first two
          convolutions have a quarter of the filters, and the second one has the stride. The last
          batch norm starts at 0, so that a deep network starts as its shortcuts [4]_.
        - "pooled": ``y = MP(ReLU(Ck(ReLU(Ck(x))) + x))``, without batch norm. The max pooling
          ``MP`` has the stride; a stride of 1 means no pooling [3]_.

        Where the shapes differ, a ``C1`` projects ``x``. In "basic" and "xresnet" it comes
        after an average pooling with the stride and before a batch norm [4]_; in the other types
        it has the stride itself.
    stem_filters : int or sequence of int, default=32
        Filters of the first convolution, or of several first convolutions. Batch norm and ReLU
        follow each, except before pooled blocks.
    stem_kernel_size, stem_stride : int
        Kernel size of these convolutions, and stride of the first one.
    stem_pool_size : int or None, default=None
        Window of a max pooling with stride 2 after them.
    pool_size : int, default=5
        Window of the max pooling in pooled blocks.
    squeeze_excite : bool, default=False
        Whether to end each branch with a squeeze-and-excitation layer.
    block_dropout : float, default=0.0
        Dropout rate before the last convolution of each block [5]_.
    global_pool : {"avg", "max", "avg_max"} or None, default="avg_max"
        Pooling over time at the end: mean, maximum, or both. None flattens instead.

    Attributes
    ----------
    out_features : int
        Width of the output.

    Notes
    -----
    All convolutions and poolings pad with zeros to ``ceil(length / stride)`` samples, so the
    encoder takes beats of any length.

    References
    ----------
    .. [1] He et al., "Deep residual learning for image recognition", CVPR 2016,
       arXiv:1512.03385.
    .. [2] He et al., "Identity mappings in deep residual networks", ECCV 2016,
       arXiv:1603.05027.
    .. [3] Kachuee, Fazeli and Sarrafzadeh, "ECG heartbeat classification: a deep
       transferable representation", ICHI 2018, arXiv:1805.00794, figure 2.
    .. [4] He et al., "Bag of tricks for image classification with convolutional neural
       networks", CVPR 2019, arXiv:1812.01187, "ResNet-D".
    .. [5] Zagoruyko and Komodakis, "Wide residual networks", BMVC 2016, arXiv:1605.07146.

    Examples
    --------
    >>> import torch
    >>> from ecgclf.modules import ResidualEncoder
    >>> encoder = ResidualEncoder(n_leads=1, n_samples=187, stages=(16, 32))
    >>> encoder(torch.zeros(4, 1, 187)).shape
    torch.Size([4, 64])
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
        build = _KINDS[block](pool_size, squeeze_excite, block_dropout)
        parts: list[nn.Module] = []
        channels, length = n_leads, n_samples
        for i, filters in enumerate(np.atleast_1d(stem_filters).tolist()):
            stride = stem_stride if i == 0 else 1
            parts += build.stem(channels, filters, stem_kernel_size, stride)
            channels, length = filters, math.ceil(length / stride)
        if stem_pool_size is not None:
            parts += max_pooling(stem_pool_size, 2)
            length = math.ceil(length / 2)
        for i, stage in enumerate(stages):
            if not isinstance(stage, ResidualStage):
                stage = ResidualStage(stage, stride=1 if i == 0 else 2)
            for j in range(stage.n_blocks):
                stride = stage.stride if j == 0 else 1
                parts.append(build.block(channels, stage, stride, first=i == j == 0))
                channels, length = stage.filters, math.ceil(length / stride)
        self.layers = ImageLayers(*parts, *build.end(channels))
        channels_last(self.layers)
        self.global_pool = global_pool
        self.out_features = channels * pooled_width(global_pool, length)

    def forward(self, x: Tensor) -> Tensor:
        """Encode beats of shape (batch, n_leads, n_samples) to (batch, out_features)."""
        return pool_globally(self.layers(as_image(x)), self.global_pool)


@dataclass(frozen=True)
class _Kind(ABC):
    """Parts of a network with one type of block."""

    pool_size: int
    squeeze_excite: bool
    dropout: float

    def stem(self, n_leads: int, filters: int, kernel_size: int, stride: int) -> list[nn.Module]:
        """Build the layers before the first block."""
        return [*convolution(n_leads, filters, kernel_size, stride=stride), *_norm_relu(filters)]

    def end(self, channels: int) -> list[nn.Module]:
        """Build the layers after the last block."""
        return []

    def block(
        self, channels: int, stage: ResidualStage, stride: int, *, first: bool
    ) -> ResidualBlock:
        """Build one block; `first` marks the first one of the network."""
        branch = self.branch(channels, stage, stride, first)
        if self.squeeze_excite:
            branch.append(SqueezeExcite(stage.filters))
        shortcut = self.shortcut(channels, stage.filters, stride)
        return ResidualBlock(
            *(ImageLayers(*part) for part in (branch, shortcut, self.after(stride)))
        )

    @abstractmethod
    def branch(
        self, channels: int, stage: ResidualStage, stride: int, first: bool
    ) -> list[nn.Module]:
        """Build the branch."""

    def shortcut(self, channels: int, filters: int, stride: int) -> list[nn.Module]:
        """Build the projection of the input to the shape of the branch output."""
        if channels == filters and stride == 1:
            return []
        return convolution(channels, filters, 1, stride=stride)

    def after(self, stride: int) -> list[nn.Module]:
        """Build the layers after the sum."""
        return []

    def drop(self) -> list[nn.Module]:
        """Build the dropout inside a branch."""
        return [Dropout(self.dropout)] if self.dropout else []


class _Basic(_Kind):
    def stem(self, n_leads: int, filters: int, kernel_size: int, stride: int) -> list[nn.Module]:
        return [*_convolution_norm(n_leads, filters, kernel_size, stride), nn.ReLU(inplace=True)]

    def branch(
        self, channels: int, stage: ResidualStage, stride: int, first: bool
    ) -> list[nn.Module]:
        return [
            *_convolution_norm(channels, stage.filters, stage.kernel_size, stride),
            nn.ReLU(inplace=True),
            *self.drop(),
            *_convolution_norm(stage.filters, stage.filters, stage.kernel_size),
        ]

    def shortcut(self, channels: int, filters: int, stride: int) -> list[nn.Module]:
        # A strided convolution with kernel size 1 would skip samples.
        mean = nn.AvgPool2d((1, stride), ceil_mode=True, count_include_pad=False)
        return [
            *([mean] if stride > 1 else []),
            *(_convolution_norm(channels, filters, 1) if channels != filters else []),
        ]

    def after(self, stride: int) -> list[nn.Module]:
        return [nn.ReLU(inplace=True)]


class _XResNet(_Basic):
    def branch(
        self, channels: int, stage: ResidualStage, stride: int, first: bool
    ) -> list[nn.Module]:
        narrow = math.ceil(stage.filters / 4)
        parts = [
            *_convolution_norm(channels, narrow, 1),
            nn.ReLU(inplace=True),
            *_convolution_norm(narrow, narrow, stage.kernel_size, stride),
            nn.ReLU(inplace=True),
            *self.drop(),
            *_convolution_norm(narrow, stage.filters, 1),
        ]
        nn.init.zeros_(parts[-1].get_parameter("weight"))
        return parts


class _Bottleneck(_Kind):
    def branch(
        self, channels: int, stage: ResidualStage, stride: int, first: bool
    ) -> list[nn.Module]:
        narrow = math.ceil(stage.filters / 4)
        return [
            *([] if first else _norm_relu(channels)),
            *convolution(channels, narrow, 1, stride=stride),
            *_norm_relu(narrow),
            *convolution(narrow, narrow, stage.kernel_size),
            *_norm_relu(narrow),
            *self.drop(),
            *convolution(narrow, stage.filters, 1),
        ]

    def end(self, channels: int) -> list[nn.Module]:
        return _norm_relu(channels)


class _Pooled(_Kind):
    def stem(self, n_leads: int, filters: int, kernel_size: int, stride: int) -> list[nn.Module]:
        return convolution(n_leads, filters, kernel_size, stride=stride)

    def branch(
        self, channels: int, stage: ResidualStage, stride: int, first: bool
    ) -> list[nn.Module]:
        return [
            *convolution(channels, stage.filters, stage.kernel_size),
            nn.ReLU(inplace=True),
            *self.drop(),
            *convolution(stage.filters, stage.filters, stage.kernel_size),
        ]

    def shortcut(self, channels: int, filters: int, stride: int) -> list[nn.Module]:
        return super().shortcut(channels, filters, 1)  # the pooling has the stride

    def after(self, stride: int) -> list[nn.Module]:
        pooling = max_pooling(self.pool_size, stride) if stride > 1 else []
        return [nn.ReLU(inplace=True), *pooling]


_KINDS: dict[str, type[_Kind]] = {
    "basic": _Basic,
    "bottleneck": _Bottleneck,
    "xresnet": _XResNet,
    "pooled": _Pooled,
}


def _norm_relu(channels: int) -> list[nn.Module]:
    return [nn.BatchNorm2d(channels), nn.ReLU(inplace=True)]


def _convolution_norm(
    channels: int, filters: int, kernel_size: int, stride: int = 1
) -> list[nn.Module]:
    """Build a convolution without bias and a batch norm."""
    parts = convolution(channels, filters, kernel_size, stride=stride, bias=False)
    return [*parts, nn.BatchNorm2d(filters)]
