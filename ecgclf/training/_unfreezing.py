"""Let the layers of a pretrained encoder join the training one after another."""

from __future__ import annotations

from typing import Any

from skorch import NeuralNet
from skorch.callbacks import Callback


class GradualUnfreezing(Callback):
    """Unfreeze the encoder of the module layer by layer, the last one first.

    The module needs an ``encoder`` with ``n_layers`` and ``freeze``, as
    `ecgclf.modules.PretrainedEncoder` has them.

    Parameters
    ----------
    n_epochs : int
        Epochs of the fit. In the first all layers are frozen, in the last none is.

    Notes
    -----
    Howard and Ruder, "Universal language model fine-tuning for text classification", ACL 2018
    (arXiv:1801.06146).

    Examples
    --------
    >>> [GradualUnfreezing(4).frozen(9, epoch) for epoch in (1, 2, 3, 4)]
    [9, 6, 3, 0]
    """

    def __init__(self, n_epochs: int) -> None:
        self.n_epochs = n_epochs

    def frozen(self, n_layers: int, epoch: int) -> int:
        """Find how many of `n_layers` are frozen in an epoch, counted from 1."""
        if epoch >= self.n_epochs:
            return 0
        return round(n_layers * (self.n_epochs - epoch) / (self.n_epochs - 1))

    def on_train_begin(self, net: NeuralNet, **kwargs: Any) -> None:
        """Remember the epochs of earlier fits."""
        self.before_ = len(net.history)
        self.encoder_ = net.module_.encoder

    def on_epoch_begin(self, net: NeuralNet, **kwargs: Any) -> None:
        """Freeze what the epoch wants frozen."""
        self._freeze(len(net.history) - self.before_)

    def on_epoch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Count the epochs of this fit."""
        self.n_done_ = len(net.history) - self.before_

    def state_dict(self) -> dict[str, Any]:
        """Get the epochs of earlier fits and of this one."""
        return {"before": self.before_, "n_done": self.n_done_}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Freeze what was frozen in the last epoch."""
        self.before_ = state["before"]
        self._freeze(state["n_done"])

    def _freeze(self, epoch: int) -> None:
        self.encoder_.freeze(self.frozen(self.encoder_.n_layers, epoch))

    def __getstate__(self) -> dict:
        # The encoder belongs to the net, on whatever device.
        return {"n_epochs": self.n_epochs}
