"""An encoder that was trained before, of which a part may be held fixed."""

from __future__ import annotations

from torch import Tensor, nn

from ecgclf.modules._network import Encoder


class PretrainedEncoder(Encoder):
    """Wrap a trained encoder so that its first layers can be frozen.

    A frozen layer keeps its weights, and works as in prediction: its batch norm keeps its
    statistics and its dropout drops nothing.

    Parameters
    ----------
    encoder : Encoder
        Used as it is; pass a copy if the original must not change. What was frozen in it no
        longer is.
    n_leads : int
        Number of leads of the beats to come.
    n_leads_before : int
        Number of leads that `encoder` was made for. If it differs from `n_leads`, a linear
        layer mixes the new leads into so many; it begins with their mean and always trains.

    Attributes
    ----------
    n_layers : int
        Number of layers that can be frozen.

    Examples
    --------
    >>> import torch
    >>> from ecgclf.modules import ConvEncoder
    >>> trained = ConvEncoder(n_leads=1, n_samples=60, filters=(8, 8))
    >>> encoder = PretrainedEncoder(trained, n_leads=3, n_leads_before=1)
    >>> encoder.freeze(encoder.n_layers)
    >>> [name for name, p in encoder.named_parameters() if p.requires_grad]
    ['mix.weight']
    >>> encoder(torch.zeros(2, 3, 60)).shape
    torch.Size([2, 16])
    """

    def __init__(self, encoder: Encoder, n_leads: int, n_leads_before: int) -> None:
        super().__init__()
        self.encoder = encoder.requires_grad_(True)
        for inner in encoder.modules():
            if isinstance(inner, PretrainedEncoder):
                inner.n_frozen = 0
        self.out_features = encoder.out_features
        self.n_frozen: int = 0
        self.mix: nn.Linear | None = None
        if n_leads != n_leads_before:
            self.mix = nn.Linear(n_leads, n_leads_before, bias=False)
            nn.init.constant_(self.mix.weight, 1.0 / n_leads)

    @property
    def n_layers(self) -> int:
        """Number of layers of the encoder."""
        return len(self._layers())

    def freeze(self, n_layers: int) -> None:
        """Freeze the first `n_layers` layers and let the others train."""
        self.n_frozen = n_layers
        for i, layer in enumerate(self._layers()):
            for parameter in layer.parameters(recurse=False):
                parameter.requires_grad_(i >= n_layers)
        self.train(self.training)

    def train(self, mode: bool = True) -> PretrainedEncoder:
        """Set the mode of all layers but the frozen ones, which stay as in prediction."""
        super().train(mode)
        for layer in self._layers()[: self.n_frozen]:
            layer.training = False
        return self

    def forward(self, x: Tensor) -> Tensor:
        """Encode beats of shape (batch, n_leads, n_samples) to (batch, out_features)."""
        if self.mix is not None:
            x = self.mix(x.transpose(1, 2)).transpose(1, 2)
        return self.encoder(x)

    def _layers(self) -> list[nn.Module]:
        """List what acts or holds weights itself, in the order in which it was built."""
        return [
            module
            for module in self.encoder.modules()
            if not list(module.children()) or list(module.parameters(recurse=False))
        ]
