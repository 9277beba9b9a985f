"""State of a net: in memory, for a file, and for a checkpoint after every epoch."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from skorch import NeuralNet
from skorch.callbacks import Callback, EarlyStopping
from skorch.history import History
from torch import Tensor, nn
from torch.optim import Optimizer

from ecgclf._model_file import PersistenceError
from ecgclf.modules import Dropout, set_generator
from ecgclf.training._rows import SMALLEST_BATCH

#: Plain values, and arrays by name.
RunState = tuple[dict[str, Any], dict[str, np.ndarray]]

#: Attributes of a net that affect a prediction or the next epoch.
_SETTINGS = ("seed", "batch_size", "lr", "amp")

#: Numbers in the buffers of a network that a file may ask for.
_LARGEST_BUFFERS = 2**27

#: State of skorch's EarlyStopping, which has no ``state_dict``.
_EARLY_STOPPING = ("misses_", "dynamic_threshold_", "best_epoch_", "best_model_weights_")


def net_state(net: NeuralNet) -> RunState:
    """Collect the settings, history and weights of a trained net."""
    weights = {
        name: tensor.detach().cpu().contiguous().numpy()
        for name, tensor in net.module_.state_dict().items()
    }
    values = {name: getattr(net, name) for name in _SETTINGS}
    return {**values, "history": net.history.to_list()}, weights


def restore_net(net: NeuralNet, values: dict[str, Any], weights: dict[str, np.ndarray]) -> None:
    """Set the state of an untrained net to the result of `net_state`."""
    for name in _SETTINGS:
        setattr(net, name, values[name])
    net.initialize()
    net.module_.load_state_dict({name: torch.tensor(w) for name, w in weights.items()})
    net.history = History(values["history"])


def check_size(
    make_module: Callable[[], nn.Module], n_layers: int, weights: dict[str, np.ndarray]
) -> None:
    """Check that a module of at least `n_layers` has given weights, before memory is allocated.

    Raises a ValueError if it has other weights, more layers than weights, or large buffers.
    """
    if n_layers > len(weights):
        raise ValueError(f"there are {n_layers:,} layers but weights of {len(weights)}")
    with torch.device("meta"):
        module = make_module()
    expected = {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
    if expected.keys() != weights.keys():
        raise ValueError("the weights have other keys than those of the network")
    if any(weights[name].shape != shape for name, shape in expected.items()):
        raise ValueError("the weights have other sizes than those of the network")
    if sum(buffer.numel() for buffer in module.buffers()) > _LARGEST_BUFFERS:
        raise ValueError("the network would need gigabytes")


def compute_alike(net: NeuralNet, other: NeuralNet, n_columns: int) -> bool:
    """Check that two nets compute the same output for random rows of `n_columns` values."""
    rows = np.random.default_rng(0).normal(size=(SMALLEST_BATCH, n_columns))
    batch = torch.tensor(rows, dtype=torch.float32)
    for each in (net, other):
        each.module_.eval()
    with torch.no_grad():
        first, second = (each.infer({"x": batch.to(each.device)}).cpu() for each in (net, other))
    # With a tolerance, because computations on a GPU are not reproducible to the last bit.
    tolerance = 1e-3 * float(first.nan_to_num().abs().max())
    return first.shape == second.shape and torch.allclose(
        first, second, rtol=1e-3, atol=tolerance, equal_nan=True
    )


def weights_digest(net: NeuralNet) -> str:
    """Compute the SHA-256 of all weights of a net, which may be untrained."""
    module = net.module_ if net.initialized_ else net.module
    digest = hashlib.sha256()
    for name, tensor in module.state_dict().items():
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(tensor.detach().cpu().numpy()).data)
    return digest.hexdigest()


class Checkpoint(Callback):
    """Callback that passes on the state of the run after every epoch, and can restore it.

    It must be the last callback: the others must finish their part of the epoch, and must start
    before their state is restored. The history of the net must already be restored.

    State is restored for callbacks that have ``state_dict`` and ``load_state_dict``, and for
    skorch's `EarlyStopping`. Other callbacks restart, with the history of the run so far.
    """

    def __init__(
        self,
        keep: Callable[[dict[str, Any], dict[str, np.ndarray]], None] | None,
        resume: RunState | None = None,
    ) -> None:
        self.keep = keep
        self.resume = resume

    def on_train_begin(self, net: NeuralNet, **kwargs: Any) -> None:
        if self.resume is not None:
            try:
                _restore(net, *self.resume)
            except Exception as error:  # made-up values can cause any
                raise PersistenceError(
                    f"The checkpoint is not one of this network ({error}): delete it."
                ) from error
            self.resume = None

    def on_epoch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        if self.keep is not None:
            self.keep(*_state(net))

    def __getstate__(self) -> dict:
        # Both belong to one run in one process.
        return {"keep": None, "resume": None}


def _state(net: NeuralNet) -> RunState:
    """Collect everything that affects the next epoch.

    The order of the rows, the augmentation and the dropout of an epoch depend on the seed and
    the number of the epoch. The state of the dropout generator is needed for the batch norm
    statistics, which are measured after the last epoch.
    """
    arrays: dict[str, np.ndarray] = {}
    layers = (part for part in net.module_.modules() if isinstance(part, Dropout))
    dropout = next((part.generator for part in layers), None)
    tensors = {
        "weights": net.module_.state_dict(),
        "optimizer": net.optimizer_.state_dict(),
        "callbacks": {name: _callback_state(callback) for name, callback in net.callbacks_},
        "dropout": None if dropout is None else dropout.get_state(),
    }
    values = {name: _extract(value, name, arrays) for name, value in tensors.items()}
    return {**values, "seed": net.seed, "history": net.history.to_list()}, arrays


def _restore(net: NeuralNet, values: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
    """Restore the result of `_state` at the start of a training."""
    net.module_.load_state_dict(_insert(values["weights"], arrays))
    # The schedules have already written their first values into the optimizer.
    optimizer_state = _insert(values["optimizer"], arrays)
    _check_optimizer(net.optimizer_, optimizer_state)
    net.optimizer_.load_state_dict(optimizer_state)
    _match_layout(net.optimizer_)
    for name, callback in net.callbacks_:
        state = _insert(values["callbacks"].get(name), arrays)
        if state is None:
            continue
        if isinstance(callback, EarlyStopping):
            vars(callback).update(state)
        elif hasattr(callback, "load_state_dict"):
            callback.load_state_dict(state)
    if values["dropout"] is not None:
        generator = torch.Generator(net.device)
        generator.set_state(_insert(values["dropout"], arrays))
        set_generator(net.module_, generator)


def _check_optimizer(optimizer: Optimizer, state: dict[str, Any]) -> None:
    """Raise a ValueError if a state does not fit; torch's kernels would crash."""
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    for number, values in state["state"].items():
        for name, value in values.items():
            is_valid = isinstance(value, Tensor) and value.is_floating_point()
            if not is_valid or value.shape not in ((), parameters[number].shape):
                raise ValueError(f"{name} of weight {number} has another shape or type")
    for group, given in zip(optimizer.param_groups, state["param_groups"], strict=True):
        for name, value in group.items():
            if name != "params" and type(given[name]) is not type(value):
                raise ValueError(f"{name}={given[name]!r} has another type than {value!r}")


def _match_layout(optimizer: Optimizer) -> None:
    """Convert the optimizer state to the memory layout of the parameters.

    torch's fused kernels require equal layouts, and arrays have lost the channels-last layout.
    """
    for parameter, state in optimizer.state.items():
        for name, value in state.items():
            if isinstance(value, Tensor) and value.shape == parameter.shape:
                state[name] = torch.empty_like(parameter, dtype=value.dtype).copy_(value)


def _callback_state(callback: Callback) -> dict[str, Any] | None:
    if isinstance(callback, EarlyStopping):
        return {name: getattr(callback, name) for name in _EARLY_STOPPING}
    return callback.state_dict() if hasattr(callback, "state_dict") else None


def _extract(value: Any, place: str, arrays: dict[str, np.ndarray]) -> Any:
    """Move the tensors of a tree to `arrays`, and leave their names in the tree."""
    if isinstance(value, Tensor):
        arrays[place] = value.detach().cpu().contiguous().numpy()
        return {"tensor": place}
    if isinstance(value, Mapping):
        return {key: _extract(item, f"{place}/{key}", arrays) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_extract(v, f"{place}/{i}", arrays) for i, v in enumerate(value))
    return value


def _insert(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    """Undo `_extract`."""
    match value:
        case {"tensor": str(place)}:
            return torch.tensor(arrays[place])
        case dict():
            return {key: _insert(item, arrays) for key, item in value.items()}
        case list() | tuple():
            return type(value)(_insert(item, arrays) for item in value)
    return value
