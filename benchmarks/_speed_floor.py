"""What training and prediction cost, beside what their arithmetic and memory must cost."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import torch
from _pairs import timed
from _speed_data import some_beats
from _speed_networks import NETWORKS, ours_for
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

N_BEATS = 256


def seconds(act: Callable[[], Any], repeats: int) -> float:
    """Median CPU time."""
    act()
    return float(np.median([timed(act)[1] for _ in range(repeats)]))


def rate_of_arithmetic(repeats: int) -> float:
    """Measure operations a second where a processor has nothing to wait for.

    A convolution of many channels: some libraries multiply matrices at half of that rate.
    """
    layer = nn.Conv2d(256, 256, (1, 3), padding=(0, 1)).to(memory_format=torch.channels_last)
    x = torch.randn(64, 256, 1, 64).contiguous(memory_format=torch.channels_last)
    with torch.no_grad():
        return 2 * 256 * 256 * 3 * 64 * 64 / seconds(lambda: layer(x), repeats)


def rate_of_copies(repeats: int) -> float:
    """Measure bytes a second, read and written, of a copy that no cache holds."""
    source = torch.zeros(32 * 2**20)
    target = torch.empty_like(source)
    return 2 * source.nbytes / seconds(lambda: target.copy_(source), repeats)


def operations(network: nn.Module, x: Tensor, *, train: bool) -> float:
    """Count the floating-point operations for one beat."""
    with FlopCounterMode(display=False) as counter:
        out = network(x)
        if train:
            out.sum().backward()
    return counter.get_total_flops() / len(x)


def bytes_moved(network: nn.Module, x: Tensor) -> float:
    """Count what all layers read and write for one beat, if each is one pass."""
    moved = []

    def look(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        moved.append(inputs[0].nbytes + output.nbytes)

    leaves = [m for m in network.modules() if not list(m.children())]
    hooks = [leaf.register_forward_hook(look) for leaf in leaves]
    network(x)
    for hook in hooks:
        hook.remove()
    return sum(moved) / len(x)


def floor(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Measure a beat's cost beside the least that its operations and bytes allow."""
    X, y = some_beats(options, options.beats)
    x = torch.from_numpy(X[:N_BEATS])
    arithmetic, copies = rate_of_arithmetic(options.repeats), rate_of_copies(options.repeats)
    for name, (_, estimator) in NETWORKS.items():
        ours = ours_for(estimator, 128, options.epochs)
        training = seconds(partial(ours.fit, X, y), options.repeats) / options.epochs
        prediction = seconds(partial(ours.predict_proba, X), options.repeats)
        network = ours.net_.module_.eval()
        for what, took, passes in (("training", training, 3), ("prediction", prediction, 1)):
            flop = operations(network, x, train=passes == 3)
            moved = bytes_moved(network, x) * passes
            yield {
                "what": f"{what}, {name}",
                "mflop": round(flop / 1e6, 2),
                "mbyte": round(moved / 1e6, 2),
                "microseconds_arithmetic": round(flop / arithmetic * 1e6, 1),
                "microseconds_memory": round(moved / copies * 1e6, 1),
                "microseconds": round(took / len(X) * 1e6, 1),
                "gflop_per_s": round(arithmetic / 1e9, 1),
                "gbyte_per_s": round(copies / 1e9, 1),
            }
