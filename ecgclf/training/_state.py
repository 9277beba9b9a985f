"""What is kept of a trained net, and the net made from it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from skorch.history import History

from ecgclf.training._net import SMALLEST_BATCH, BeatNet

#: Attributes of a net that a prediction, or the next epoch, depends on.
_SETTINGS = ("seed", "batch_size", "lr", "amp")


def net_state(net: BeatNet) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Gather what is kept of a trained net.

    Parameters
    ----------
    net : BeatNet

    Returns
    -------
    values : dict
        Settings and the history. The state of the optimizer and the callbacks are not kept.
    weights : dict of str to ndarray
        Parameters and buffers of the module, by name.

    Examples
    --------
    >>> from torch import nn
    >>> from ecgclf.training import CrossEntropyLoss
    >>> net = BeatNet(nn.Linear(3, 2), CrossEntropyLoss(), seed=5).initialize()
    >>> values, weights = net_state(net)
    >>> values["seed"], sorted(weights)
    (5, ['bias', 'weight'])
    """
    weights = {
        name: tensor.detach().cpu().contiguous().numpy()
        for name, tensor in net.module_.state_dict().items()
    }
    values = {name: getattr(net, name) for name in _SETTINGS}
    return {**values, "history": net.history.to_list()}, weights


def restore_net(net: BeatNet, values: dict[str, Any], weights: dict[str, np.ndarray]) -> None:
    """Let an untrained net take what `net_state` gave.

    Parameters
    ----------
    net : BeatNet
        Its module must be as that of the trained net was.
    values : dict
    weights : dict of str to ndarray

    Raises
    ------
    RuntimeError
        If the module has other weights.
    KeyError
        If a value is missing.

    Examples
    --------
    >>> from torch import nn
    >>> from ecgclf.training import CrossEntropyLoss
    >>> net, copy = (BeatNet(nn.Linear(3, 2), CrossEntropyLoss()) for _ in range(2))
    >>> restore_net(copy, *net_state(net.initialize()))
    >>> torch.equal(copy.module_.weight, net.module_.weight)
    True
    """
    for name in _SETTINGS:
        setattr(net, name, values[name])
    net.initialize()
    net.module_.load_state_dict({name: torch.tensor(w) for name, w in weights.items()})
    net.history = History(values["history"])


def compute_alike(net: BeatNet, other: BeatNet, n_columns: int) -> bool:
    """Tell whether two nets give the same output for rows of random numbers.

    Parameters
    ----------
    net, other : BeatNet
    n_columns : int
        Length of a row.

    Returns
    -------
    bool

    Examples
    --------
    >>> from torch import nn
    >>> from ecgclf.training import CrossEntropyLoss
    >>> layer = nn.Linear(3, 2)
    >>> modules = layer, nn.Sequential(layer, nn.Identity()), nn.Sequential(layer, nn.Tanh())
    >>> nets = [BeatNet(module, CrossEntropyLoss()).initialize() for module in modules]
    >>> compute_alike(nets[0], nets[1], 3), compute_alike(nets[0], nets[2], 3)
    (True, False)
    """
    rows = np.random.default_rng(0).normal(size=(SMALLEST_BATCH, n_columns))
    batch = torch.tensor(rows, dtype=torch.float32)
    for each in (net, other):
        each.module_.eval()
    with torch.no_grad():
        first, second = (each.infer({"x": batch.to(each.device)}).cpu() for each in (net, other))
    # Not to the bit: on a GPU, two runs of one net may differ by that.
    tolerance = 1e-3 * float(first.nan_to_num().abs().max())
    return first.shape == second.shape and torch.allclose(
        first, second, rtol=1e-3, atol=tolerance, equal_nan=True
    )
