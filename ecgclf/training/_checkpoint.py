"""Hand out the state of a run after every epoch, and go on from such a state."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from skorch.callbacks import Callback, EarlyStopping
from torch import Tensor
from torch.optim import Optimizer

from ecgclf.modules import Dropout, set_generator

if TYPE_CHECKING:
    from ecgclf.training._net import BeatNet

#: Plain values, and arrays by name.
RunState = tuple[dict[str, Any], dict[str, np.ndarray]]

#: What skorch's callback has to remember; it has no ``state_dict`` itself.
_EARLY_STOPPING = ("misses_", "dynamic_threshold_", "best_epoch_", "best_model_weights_")


class Checkpoint(Callback):
    """Hand out the state of the run after every epoch; begin with that of an earlier run.

    Must stand last, so that the other callbacks have done their part of the epoch, and have
    begun before they take their state.

    Parameters
    ----------
    keep : callable
        Called with a dict of plain values and a dict of arrays.
    resume : tuple of such two dicts, optional
        Go on from there. The history must be back already.

    Notes
    -----
    Of the other callbacks, those that have ``state_dict`` and ``load_state_dict``, and skorch's
    `EarlyStopping`, take their state back. All others begin anew, with the history of the run
    before them.

    Examples
    --------
    >>> from ecgclf.training import BeatNet, CrossEntropyLoss, LearningRate, Rows
    >>> net = BeatNet(torch.nn.Linear(187, 5), CrossEntropyLoss())
    >>> rows = Rows(np.zeros((10, 187), dtype=np.float32), y=np.arange(10) % 5)
    >>> kept = []
    >>> interrupted = net.train(
    ...     rows, 3, callbacks=[LearningRate()], keep=lambda *state: kept.append(state)
    ... )
    >>> [len(values["history"]) for values, arrays in kept]
    [1, 2, 3]
    """

    def __init__(
        self,
        keep: Callable[[dict[str, Any], dict[str, np.ndarray]], None] | None,
        resume: RunState | None = None,
    ) -> None:
        self.keep = keep
        self.resume = resume

    def on_train_begin(self, net: BeatNet, **kwargs: Any) -> None:
        """Take the state of the earlier run."""
        if self.resume is not None:
            _restore(net, *self.resume)
            self.resume = None

    def on_epoch_end(self, net: BeatNet, **kwargs: Any) -> None:
        """Hand out the state."""
        if self.keep is not None:
            self.keep(*_state(net))

    def __getstate__(self) -> dict:
        # What it writes to belongs to one run and to one process.
        return {"keep": None, "resume": None}


def weights_digest(net: BeatNet) -> str:
    """Compute the SHA-256 of all weights of a net, trained or not.

    Parameters
    ----------
    net : BeatNet

    Returns
    -------
    str

    Examples
    --------
    >>> from ecgclf.training import BeatNet, CrossEntropyLoss
    >>> net = BeatNet(torch.nn.Linear(3, 2), CrossEntropyLoss())
    >>> digest = weights_digest(net)
    >>> net.initialize().module_.weight.data[0, 0] += 1
    >>> weights_digest(net) == digest
    False
    """
    module = net.module_ if net.initialized_ else net.module
    digest = hashlib.sha256()
    for name, tensor in module.state_dict().items():
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(tensor.detach().cpu().numpy()).data)
    return digest.hexdigest()


def _state(net: BeatNet) -> RunState:
    """Gather all that the next epoch depends on.

    The order of the rows and the augmentation of an epoch follow from the seed and from the
    number of the epoch. Dropout too, but batch norms are measured with it after the last one.
    """
    arrays: dict[str, np.ndarray] = {}
    dropout = _dropout_generator(net)
    tensors = {
        "weights": net.module_.state_dict(),
        "optimizer": net.optimizer_.state_dict(),
        "callbacks": {name: _remembered(callback) for name, callback in net.callbacks_},
        "dropout": None if dropout is None else dropout.get_state(),
    }
    values = {name: _plain(value, name, arrays) for name, value in tensors.items()}
    return {**values, "seed": net.seed, "history": net.history.to_list()}, arrays


def _restore(net: BeatNet, values: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
    """Let a net that is about to train take what `_state` gave."""
    net.module_.load_state_dict(_tensors(values["weights"], arrays))
    # After the schedules have begun, which write into the optimizer what they begin with.
    net.optimizer_.load_state_dict(_tensors(values["optimizer"], arrays))
    _lay_out(net.optimizer_)
    for name, callback in net.callbacks_:
        state = _tensors(values["callbacks"].get(name), arrays)
        if state is None:
            continue
        if isinstance(callback, EarlyStopping):
            vars(callback).update(state)
        elif hasattr(callback, "load_state_dict"):
            callback.load_state_dict(state)
    if values["dropout"] is not None:
        generator = torch.Generator(net.device)
        generator.set_state(_tensors(values["dropout"], arrays))
        set_generator(net.module_, generator)


def _lay_out(optimizer: Optimizer) -> None:
    """Give what the optimizer knows of a parameter the order in memory of the parameter.

    The fused kernels of torch walk through both as they lie there. The weights of a convolution
    over channels that come last do not lie as an array does.
    """
    for parameter, state in optimizer.state.items():
        for name, value in state.items():
            if isinstance(value, Tensor) and value.shape == parameter.shape:
                state[name] = torch.empty_like(parameter, dtype=value.dtype).copy_(value)


def _remembered(callback: Callback) -> dict[str, Any] | None:
    if isinstance(callback, EarlyStopping):
        return {name: getattr(callback, name) for name in _EARLY_STOPPING}
    return callback.state_dict() if hasattr(callback, "state_dict") else None


def _dropout_generator(net: BeatNet) -> torch.Generator | None:
    parts = (part for part in net.module_.modules() if isinstance(part, Dropout))
    return next((part.generator for part in parts), None)


def _plain(value: Any, place: str, arrays: dict[str, np.ndarray]) -> Any:
    """Put the tensors of a tree among the arrays, and the name of their place in theirs."""
    if isinstance(value, Tensor):
        arrays[place] = value.detach().cpu().contiguous().numpy()
        return {"tensor": place}
    if isinstance(value, Mapping):
        return {key: _plain(item, f"{place}/{key}", arrays) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_plain(v, f"{place}/{i}", arrays) for i, v in enumerate(value))
    return value


def _tensors(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    """Put the tensors back where `_plain` took them from."""
    match value:
        case {"tensor": str(place)}:
            return torch.tensor(arrays[place])
        case dict():
            return {key: _tensors(item, arrays) for key, item in value.items()}
        case list() | tuple():
            return type(value)(_tensors(item, arrays) for item in value)
    return value
