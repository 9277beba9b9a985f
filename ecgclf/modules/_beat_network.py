"""Networks for beats: an encoder of the signal, per-beat features, and a dense head."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from ecgclf.modules._basic_layers import Dropout


class Encoder(nn.Module):
    """Base class of encoders, the signal part of a network.

    An encoder maps a Tensor of shape (batch, n_leads, n_samples) to one of shape
    (batch, out_features).

    Attributes
    ----------
    out_features : int
        Width of the output; set it in ``__init__``.

    Examples
    --------
    >>> import torch
    >>> from ecgclf.modules import Encoder
    >>> class Mean(Encoder):
    ...     def __init__(self, n_leads):
    ...         super().__init__()
    ...         self.out_features = n_leads
    ...
    ...     def forward(self, x):
    ...         return x.mean(dim=2)
    >>> Mean(n_leads=2)(torch.zeros(4, 2, 100)).shape
    torch.Size([4, 2])
    """

    out_features: int


class FlatEncoder(Encoder):
    """Encoder that concatenates the samples of all leads."""

    def __init__(self, n_leads: int, n_samples: int) -> None:
        super().__init__()
        self.out_features = n_leads * n_samples

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1)


class PretrainedEncoder(Encoder):
    """Trained encoder with a number of frozen layers.

    A frozen layer keeps its weights and runs in evaluation mode: its batch norm keeps its
    statistics and its dropout is off. The encoder is not copied, and layers frozen in it are
    unfrozen. `combine` is `combine_leads` of `ecgclf.ECGTransferClassifier`; the linear layer of
    "mix" starts as the mean of the leads and is never frozen.
    """

    def __init__(
        self,
        encoder: Encoder,
        n_leads: int,
        n_leads_before: int,
        combine: Literal["mix", "pool", "concatenate"] = "mix",
    ) -> None:
        super().__init__()
        self.encoder = encoder.requires_grad_(True)
        for inner in encoder.modules():
            if isinstance(inner, PretrainedEncoder):
                inner.n_frozen = 0
        self.n_frozen: int = 0
        self.mix: nn.Linear | None = None
        self.combine = combine if n_leads != n_leads_before else "mix"
        n_copies = {"mix": 1, "pool": 2, "concatenate": n_leads}[self.combine]
        self.out_features = n_copies * encoder.out_features
        if self.combine != "mix":
            if n_leads_before != 1:
                raise ValueError(
                    f"combine={combine!r} applies an encoder of one lead to each lead, but this "
                    f"encoder takes {n_leads_before} leads: set combine='mix'."
                )
        elif n_leads != n_leads_before:
            self.mix = nn.Linear(n_leads, n_leads_before, bias=False)
            nn.init.constant_(self.mix.weight, 1.0 / n_leads)

    @property
    def n_layers(self) -> int:
        """Number of layers that can be frozen."""
        return len(self._layers())

    def freeze(self, n_layers: int) -> None:
        """Freeze the first `n_layers` layers and unfreeze the others."""
        self.n_frozen = n_layers
        for i, layer in enumerate(self._layers()):
            for parameter in layer.parameters(recurse=False):
                parameter.requires_grad_(i >= n_layers)
        self.train(self.training)

    def train(self, mode: bool = True) -> PretrainedEncoder:
        """Set the training mode of all layers that are not frozen."""
        super().train(mode)
        for layer in self._layers()[: self.n_frozen]:
            layer.training = False
        return self

    def forward(self, x: Tensor) -> Tensor:
        if self.combine != "mix":
            features = self.encoder(x.flatten(0, 1).unsqueeze(1)).unflatten(0, x.shape[:2])
            if self.combine == "concatenate":
                return features.flatten(1)
            return torch.cat([features.mean(dim=1), features.amax(dim=1)], dim=1)
        if self.mix is not None:
            x = self.mix(x.transpose(1, 2)).transpose(1, 2)
        return self.encoder(x)

    def _layers(self) -> list[nn.Module]:
        """List the modules without children or with own parameters, in construction order."""
        return [
            module
            for module in self.encoder.modules()
            if not list(module.children()) or list(module.parameters(recurse=False))
        ]


class DenseHead(nn.Sequential):
    """Fully connected layers from features to logits, with ReLU and dropout between them."""

    def __init__(
        self,
        in_features: int,
        n_outputs: int,
        dense: Sequence[int] = (),
        dense_dropout: Sequence[float] = (),
    ) -> None:
        layers: list[nn.Module] = []
        for i, units in enumerate(dense):
            layers += [nn.Linear(in_features, units), nn.ReLU()]
            if dense_dropout and dense_dropout[i]:
                layers.append(Dropout(dense_dropout[i]))
            in_features = units
        super().__init__(*layers, nn.Linear(in_features, n_outputs))


class BeatNetwork(nn.Module):
    """Network that encodes the signal, appends the per-beat features and classifies.

    `head` maps (batch, encoder.out_features + n_tabular) to logits (batch, n_outputs).
    """

    def __init__(
        self,
        encoder: Encoder,
        head: nn.Module,
        n_leads: int,
        n_samples: int,
        n_tabular: int = 0,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = head
        self.n_leads = n_leads
        self.n_samples = n_samples
        self.n_tabular = n_tabular

    def forward(self, x: Tensor) -> Tensor:
        """Compute the logits of rows of shape (batch, n_leads * n_samples + n_tabular)."""
        return self.head(self._encoded(x))

    def features(self, x: Tensor) -> Tensor:
        """Compute the input of the last layer from rows as in `forward`."""
        x = self._encoded(x)
        for layer in list(self.head.children())[:-1]:
            x = layer(x)
        return x

    def _encoded(self, x: Tensor) -> Tensor:
        """Encode the signal and append the per-beat features."""
        width = x.shape[1] - self.n_tabular  # smaller than in prediction after a random crop
        features = self.encoder(x[:, :width].unflatten(1, (self.n_leads, -1)))
        if features.shape[1] != self.encoder.out_features:
            raise ValueError(
                f"augment crops {self.n_samples} samples to {width // self.n_leads}, but this "
                "network takes one length only. Choose one with a global pooling."
            )
        if self.n_tabular:
            features = torch.cat([features, x[:, width:]], dim=1)
        return features
