"""Torch layers for the steps of a pipeline before the network."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler
from torch import Tensor, nn

from ecgclf.export._graph import ExportError
from ecgclf.transforms import BeatScaler, FourierFeatures


def layer_of(name: str, step: Any) -> nn.Module:
    """Build the layer that is equivalent to the fitted step `name` of a pipeline, for rows."""
    if step in (None, "passthrough"):
        return nn.Identity()
    # Not isinstance: a subclass may transform differently.
    build = _LAYERS.get(type(step))
    if build is None:
        known = ", ".join(sorted(kind.__name__ for kind in _LAYERS))
        raise ExportError(
            f"The step {name!r} of the pipeline is a {type(step).__name__}, expected one of "
            f"{known}. Apply this step outside the graph and export the rest, pipeline[i:]."
        )
    return build(step)


class ColumnScaling(nn.Module):
    """Layer that subtracts `center`, divides by `size` and clips to `limits`, unless None."""

    center: Tensor
    size: Tensor

    def __init__(self, center: Any, size: Any, limits: tuple[float, float] | None = None) -> None:
        super().__init__()
        center = 0.0 if center is None else center
        size = 1.0 if size is None else size
        for name, values in (("center", center), ("size", size)):
            self.register_buffer(name, torch.tensor(np.asarray(values, dtype=np.float32)))
        self.limits = limits

    def forward(self, x: Tensor) -> Tensor:
        """Scale beats whose last axes match `center`."""
        x = (x - self.center) / self.size
        return x if self.limits is None else x.clamp(*self.limits)


class BeatScaling(nn.Module):
    """Layer that is equivalent to a fitted `BeatScaler`."""

    def __init__(self, scaler: BeatScaler) -> None:
        super().__init__()
        self.shape = (scaler.n_leads_, scaler.n_samples_)
        self.method, self.per, self.keep_padding = scaler.method, scaler.per, scaler.keep_padding
        if scaler.per == "dataset":
            self.fixed = ColumnScaling(scaler.center_[:, None], scaler.scale_[:, None])

    def forward(self, x: Tensor) -> Tensor:
        """Scale beats of shape (batch, n_leads * n_samples)."""
        signals = x.unflatten(1, self.shape)
        inside = self._inside(signals)
        if self.per == "dataset":
            scaled = self.fixed(signals)
        elif self.per == "lead":
            scaled = _scaled(signals, inside.expand_as(signals), self.method)
        else:
            everywhere = inside.expand_as(signals)
            scaled = _scaled(signals.flatten(1), everywhere.flatten(1), self.method)
            scaled = scaled.unflatten(1, self.shape)
        return torch.where(inside, scaled, 0.0).flatten(1)

    def _inside(self, signals: Tensor) -> Tensor:
        """Compute the mask of the samples before the padding, (batch, 1, n_samples)."""
        used = (signals != 0).any(dim=1, keepdim=True)
        if not self.keep_padding:
            return torch.ones_like(used)
        place = torch.arange(signals.shape[2])
        return place <= torch.where(used, place, -1).amax(dim=2, keepdim=True)


def _scaled(values: Tensor, inside: Tensor, method: str) -> Tensor:
    """Scale along the last axis, with statistics of the samples inside the mask."""
    count = inside.sum(dim=-1, keepdim=True).clamp(min=1)
    lowest = torch.where(inside, values, torch.inf).amin(dim=-1, keepdim=True)
    highest = torch.where(inside, values, -torch.inf).amax(dim=-1, keepdim=True)
    flat = highest <= lowest
    if method == "minmax":
        center, spread = lowest, highest - lowest
    elif method == "standard":
        center = torch.where(inside, values, 0.0).sum(dim=-1, keepdim=True) / count
        squares = torch.where(inside, values - center, 0.0) ** 2
        spread = torch.sqrt(squares.sum(dim=-1, keepdim=True) / count)
    else:
        in_order = torch.where(inside, values, highest).sort(dim=-1).values
        low, center, high = (_quantile(in_order, count, quarters) for quarters in (1, 2, 3))
        spread = high - low
    spread = torch.where(flat | (spread == 0), 1.0, spread)
    return (values - torch.where(flat, lowest, center)) / spread


def _quantile(in_order: Tensor, count: Tensor, quarters: int) -> Tensor:
    """Compute a quartile of the first `count` sorted values, with linear interpolation."""
    # Integer arithmetic avoids rounding of the positions.
    place = quarters * (count - 1)
    before = torch.div(place, 4, rounding_mode="floor")
    after = torch.div(place + 3, 4, rounding_mode="floor")
    low, high = (torch.gather(in_order, -1, index) for index in (before, after))
    return low + (high - low) * ((place - 4 * before) / 4)


class FourierLayer(nn.Module):
    """Layer that is equivalent to `FourierFeatures`, as a product with a matrix.

    Many runtimes lack the Fourier operator of ONNX, or compute it less accurately.
    """

    matrix: Tensor

    def __init__(self, transformer: FourierFeatures) -> None:
        super().__init__()
        self.shape = (transformer.n_leads_, transformer.n_samples_)
        n_samples = transformer.n_samples_
        time = torch.arange(n_samples)
        frequency = torch.arange(n_samples // 2 + 1)
        # The remainder of the integers is exact; large angles would be rounded.
        turn = (time[:, None] * frequency % n_samples).double() / n_samples
        angle = 2 * math.pi * turn
        matrix = torch.cat([angle.cos(), -angle.sin()], dim=1)
        self.register_buffer("matrix", matrix.float())

    def forward(self, x: Tensor) -> Tensor:
        """Transform rows of shape (batch, n_leads * n_samples)."""
        real, imaginary = (x.unflatten(1, self.shape) @ self.matrix).chunk(2, dim=2)
        return torch.cat([real, imaginary], dim=1).flatten(1)


def _standard(scaler: StandardScaler) -> nn.Module:
    # With `with_mean=False` there may be a mean that is not subtracted.
    return ColumnScaling(scaler.mean_ if scaler.with_mean else None, scaler.scale_)


def _min_max(scaler: MinMaxScaler) -> nn.Module:
    # x * scale_ + min_, written as a difference and a quotient.
    limits = scaler.feature_range if scaler.clip else None
    return ColumnScaling(-scaler.min_ / scaler.scale_, 1.0 / scaler.scale_, limits)


def _max_abs(scaler: MaxAbsScaler) -> nn.Module:
    clips = getattr(scaler, "clip", False)  # missing in older versions
    return ColumnScaling(None, scaler.scale_, (-1.0, 1.0) if clips else None)


_LAYERS: dict[type, Callable[[Any], nn.Module]] = {
    BeatScaler: BeatScaling,
    FourierFeatures: FourierLayer,
    MaxAbsScaler: _max_abs,
    MinMaxScaler: _min_max,
    RobustScaler: lambda scaler: ColumnScaling(scaler.center_, scaler.scale_),
    StandardScaler: _standard,
}
