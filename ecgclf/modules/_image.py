"""Signals as images of height 1 in channels-last memory, and what is done with them.

On a CPU, convolutions of such images train about a third faster than ``Conv1d``.
"""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ecgclf.modules._inference import MaxPool

#: How the time axis ends: its mean, its maximum, both, or all of it flattened.
GlobalPool = Literal["avg", "max", "avg_max"] | None


def as_image(x: Tensor) -> Tensor:
    """Turn signals (batch, channels, samples) into images (batch, channels, 1, samples)."""
    return x.unsqueeze(2).contiguous(memory_format=torch.channels_last)


def channels_last(module: nn.Module) -> None:
    """Bring the weights of a module into channels-last memory, in place."""
    module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def convolution(
    in_channels: int,
    filters: int,
    kernel_size: int,
    *,
    stride: int = 1,
    dilation: int = 1,
    padding: str = "same",
    bias: bool = True,
) -> list[nn.Module]:
    """Build a convolution over the time of an image of height 1.

    Parameters
    ----------
    in_channels, filters, kernel_size, stride, dilation : int
    padding : {"same", "valid"}, default="same"
        "same" gives ``ceil(length / stride)`` samples, the shorter half of the zeros standing
        in front; "valid" pads nothing.
    bias : bool, default=True

    Returns
    -------
    list of Module
        The convolution, after a padding of its own if the kernel is even.

    Examples
    --------
    >>> layer = nn.Sequential(*convolution(1, 8, 4, stride=2))
    >>> layer(torch.zeros(3, 1, 1, 187)).shape
    torch.Size([3, 8, 1, 94])
    """
    reach = dilation * (kernel_size - 1) if padding == "same" else 0
    before, after = reach // 2, reach - reach // 2
    modules: list[nn.Module] = []
    if before != after:  # a convolution itself can only pad both sides alike
        modules.append(nn.ZeroPad2d((before, after, 0, 0)))
        before = 0
    modules.append(
        nn.Conv2d(
            in_channels,
            filters,
            (1, kernel_size),
            stride=(1, stride),
            padding=(0, before),
            dilation=(1, dilation),
            bias=bias,
        )
    )
    return modules


def max_pooling(size: int, stride: int, *, padding: str = "same") -> list[nn.Module]:
    """Build a max pooling over the time of an image of height 1, to stand behind a ReLU.

    Parameters
    ----------
    size, stride : int
    padding : {"same", "valid"}, default="same"
        As in `convolution`. Behind a ReLU, a zero that pads never is the maximum alone.

    Returns
    -------
    list of Module

    Examples
    --------
    >>> layer = nn.Sequential(*max_pooling(5, 2))
    >>> layer(torch.zeros(3, 8, 1, 187)).shape
    torch.Size([3, 8, 1, 94])
    """
    same = padding == "same"
    modules: list[nn.Module] = []
    overlap = size - stride
    if same and overlap > 0:
        modules.append(nn.ZeroPad2d((overlap // 2, overlap - overlap // 2, 0, 0)))
    modules.append(MaxPool(size, stride, ceil_mode=same))
    return modules


def pool_globally(x: Tensor, how: GlobalPool) -> Tensor:
    """End the time axis of images (batch, channels, height, width); gives (batch, features)."""
    if how is None:
        return x.flatten(1)
    pooled = []
    # The plain ``mean`` and ``amax`` over the last axes give the same, but their gradients are
    # several times as slow to compute and leave channels-last memory.
    if how != "max":
        pooled.append(x.permute(0, 2, 3, 1).flatten(1, 2).mean(dim=1))
    if how != "avg":
        pooled.append(F.adaptive_max_pool2d(x, 1).flatten(1))
    return pooled[0] if len(pooled) == 1 else torch.cat(pooled, dim=1)


def pooled_width(how: GlobalPool, length: int) -> int:
    """Features that `pool_globally` makes of each channel of `length` samples."""
    return {"avg": 1, "max": 1, "avg_max": 2, None: length}[how]
