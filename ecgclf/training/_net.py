"""Nets: skorch's training loop with batches from memory, seeds and weights."""

from __future__ import annotations

import io
import traceback
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from skorch import NeuralNetClassifier
from skorch.callbacks import Callback, EpochTimer, GradientNormClipping
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from ecgclf.modules import set_generator
from ecgclf.training._rows import SMALLEST_BATCH, Batches, Rows
from ecgclf.training._runtime import derive, device_here, resolve_device, seeded
from ecgclf.training._state import Checkpoint, RunState

#: Number of beats in a prediction batch on a CPU; larger batches do not fit in its caches.
PREDICTION_BATCH = 128

#: The same on other devices, if the training batch size is not larger.
PREDICTION_BATCH_ON_DEVICE = 1024

#: Optimizers by name, with their defaults apart from the learning rate.
OPTIMIZERS: dict[str, tuple[type[torch.optim.Optimizer], dict[str, Any]]] = {
    "adam": (torch.optim.Adam, {}),
    "adamw": (torch.optim.AdamW, {"weight_decay": 0.05}),
    "sgd": (torch.optim.SGD, {"momentum": 0.9, "nesterov": True}),
}

# Purposes of the seed of a fit; the split uses the seed itself.
_WEIGHTS, _EPOCHS = 1, 2


class BeatNet(NeuralNetClassifier):
    """Net with skorch's training loop; the type of ``net_`` of fitted estimators.

    It differs from skorch in these points: it takes `Rows`, the loss is a function of output,
    target and weights, one seed determines the whole run, losses are read from the device once
    per epoch, and a loss that is not finite is an error. An epoch depends only on the seed and
    the number of the epoch, so a continued run is equal to an uninterrupted one.
    """

    def __init__(
        self,
        module: nn.Module,
        criterion: nn.Module,
        *,
        seed: int = 0,
        augment: Callable[[Tensor, torch.Generator], Tensor] | None = None,
        max_grad_norm: float | None = None,
        amp: bool = False,
        distributed: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(module, criterion=criterion, **kwargs)
        self.seed = seed
        self.augment = augment
        self.max_grad_norm = max_grad_norm
        self.amp = amp
        self.distributed = distributed
        self.parallel: Callable[[Tensor], Tensor] | None = None

    def get_default_callbacks(self) -> list[tuple[str, Callback]]:
        """Get the timer and the gradient clipping; `run_single_epoch` records the losses."""
        callbacks: list[tuple[str, Callback]] = [("epoch_timer", EpochTimer())]
        if self.max_grad_norm is not None:
            callbacks.append(("gradient_norm", GradientNormClipping(self.max_grad_norm)))
        return callbacks

    def check_data(self, X: Rows, y: Any = None) -> None:
        """Store the classes; skorch would read all beats into memory for this."""
        self.classes_inferred_ = np.unique(X.y)

    def get_iterator(self, dataset: Rows, training: bool = False) -> Batches:
        """Divide a dataset into batches; shuffle and augment them for training."""
        device = torch.device(self.device)
        if training:
            return Batches(dataset, self.batch_size, device, shuffle=True, augment=self.augment)
        on_device = max(self.batch_size, PREDICTION_BATCH_ON_DEVICE)
        return Batches(dataset, PREDICTION_BATCH if device.type == "cpu" else on_device, device)

    def infer(
        self,
        x: dict[str, Tensor],
        part: Callable[[Tensor], Tensor] | None = None,
        **fit_params: Any,
    ) -> Tensor:
        """Compute the output of the module, or of a part of it, for one batch."""
        compute = self.module_ if part is None else part
        if self.parallel is not None and torch.is_grad_enabled():
            compute = self.parallel
        # A model trained on a GPU and loaded onto a CPU computes in float32.
        if not self.amp or torch.device(self.device).type != "cuda":
            return compute(x["x"])
        # bfloat16 has the range of float32, so gradients need no scaling.
        with torch.autocast("cuda", torch.bfloat16):
            return compute(x["x"]).float()

    def get_loss(
        self, y_pred: Tensor, y_true: Tensor, X: Any = None, training: bool = False
    ) -> Tensor:
        """Compute the weighted loss of one batch."""
        return self.criterion_(y_pred, y_true, X["weight"])

    def run_single_epoch(
        self,
        iterator: Batches | None,
        training: bool,
        prefix: str,
        step_fn: Any,
        **fit_params: Any,
    ) -> None:
        """Run one pass over the data and record its mean loss as ``<prefix>_loss``."""
        if iterator is None:
            return
        if training:
            self._prepare_epoch(iterator)
        losses = []
        for batch in iterator:
            self.notify("on_batch_begin", batch=batch, training=training)
            step = step_fn(batch)
            losses.append(step["loss"].detach())
            self.notify("on_batch_end", batch=batch, training=training, **step)
        loss = float(np.average(torch.stack(losses).cpu().numpy(), weights=iterator.sizes()))
        if self.distributed:
            loss = self._mean_over_processes(loss)
            self._share_buffers()
        if not np.isfinite(loss):
            raise ValueError(
                f"The {'training' if training else 'validation'} loss became {loss} in epoch "
                f"{len(self.history)}. Lower lr ({self.lr}), or scale the input."
            )
        name = f"{prefix}_loss"
        best = min((row.get(name, np.inf) for row in self.history[:-1]), default=np.inf)
        self.history.record(name, loss)
        self.history.record(f"{name}_best", loss < best)
        self.history.record(f"{prefix}_batch_count", len(losses))

    def notify(self, method_name: str, **cb_kwargs: Any) -> None:
        """Notify the callbacks, and record whether a callback ended the training."""
        try:
            super().notify(method_name, **cb_kwargs)
        except KeyboardInterrupt as stop:
            # Early stopping ends skorch's loop with the same exception as Ctrl-C, but raises it
            # in the method of the callback itself.
            *_, (frame, _) = traceback.walk_tb(stop.__traceback__)
            self.stopped_by_callback_ = frame.f_code.co_name == method_name == "on_epoch_end"
            raise

    def train(
        self,
        rows: Rows,
        epochs: int,
        *,
        validation: Rows | None = None,
        callbacks: Sequence[Callback] = (),
        new_optimizer: bool = False,
        keep: Callable[[dict[str, Any], dict[str, np.ndarray]], None] | None = None,
        resume: RunState | None = None,
    ) -> bool:
        """Train for some epochs, starting with the present weights.

        The loss on `validation` is recorded after every epoch; `LearningRate` must be among the
        callbacks. `keep` is called with the state of the run after every epoch, and `resume` is
        such a state to continue from, with the other arguments of the interrupted run. Return
        whether the user interrupted the training.
        """
        if self.amp and torch.device(self.device).type != "cuda":
            raise ValueError(
                f"amp=True needs a CUDA device, but the network is on {self.device!r}: set "
                "amp=False or device='cuda'."
            )
        self.callbacks = list(callbacks)
        if keep is not None or resume is not None:
            self.callbacks.append(Checkpoint(keep, resume))
        self.max_epochs = epochs
        self.train_split = None if validation is None else (lambda rows: (rows, validation))
        self.stopped_by_callback_ = False
        if not self.initialized_:
            self.initialize()
        else:
            self._initialize_callbacks()
            if new_optimizer:
                self._initialize_optimizer()
        self.n_earlier_epochs_ = len(self.history)
        goal = self.n_earlier_epochs_ + epochs
        if resume is not None:
            self.history[:] = resume[0]["history"]
        if self.distributed:
            self._check_processes(rows, goal - len(self.history))
        try:
            self.partial_fit(rows, epochs=goal - len(self.history))
            if self.distributed:
                self._share_buffers()
        finally:
            self.parallel = None
            set_generator(self.module_, None)
            self.train_split = None
            n_done = sum("dur" in row for row in self.history)
            del self.history[n_done:]  # an interrupted epoch
        return not self.stopped_by_callback_ and n_done < goal

    def outputs(self, rows: Rows, part: Callable[[Tensor], Tensor] | None = None) -> np.ndarray:
        """Compute the output of the module, or of a part of it, for all rows, as float32."""
        n_beats = len(rows)
        # torch multiplies small matrices with another algorithm, which rounds differently.
        # Larger batches make the result for a beat independent of the other beats.
        if n_beats < SMALLEST_BATCH and rows.record is None:
            rows = rows.take(np.arange(SMALLEST_BATCH) % n_beats)
        if self.module_.training:  # to visit all layers takes as long as a small batch
            self.module_.eval()
        with torch.no_grad():
            outputs = self._all_outputs(rows, part).numpy()[:n_beats]
        if not np.isfinite(outputs).all():
            first = np.flatnonzero(~np.isfinite(outputs).all(axis=1))[0]
            raise ValueError(
                f"The output for the beat at position {first} is not finite; its values reach "
                f"{np.abs(rows.view[first]).max():.3g}. Scale it like the training beats; if the "
                f"training diverged, lower lr ({self.lr})."
            )
        return outputs

    def _all_outputs(self, rows: Rows, part: Callable[[Tensor], Tensor] | None) -> Tensor:
        """Compute the output for all rows, batch by batch."""
        if len(rows) <= PREDICTION_BATCH and self.device == "cpu":
            return self.infer({"x": torch.from_numpy(rows.X)}, part).float()
        return torch.cat([self.infer(x, part).float().cpu() for x, _ in self.get_iterator(rows)])

    def _prepare_epoch(self, iterator: Batches) -> None:
        """Set the seeds of the epoch, and the part of each batch for this process."""
        iterator.seed = seed = derive(self.seed, len(self.history))
        if self.distributed:
            rank = dist.get_rank()
            iterator.part = rank, dist.get_world_size()
            seed = derive(seed, rank) if rank else seed
            # A new wrapper for each epoch, because callbacks may freeze or unfreeze layers. Its
            # bound method, because skorch would register a Module as a component of the net.
            self.parallel = DistributedDataParallel(self.module_).__call__
        set_generator(self.module_, torch.Generator(self.device).manual_seed(seed))

    def _check_processes(self, rows: Rows, epochs: int) -> None:
        """Check that all processes of the group start the same training."""
        if not (dist.is_available() and dist.is_initialized()):
            raise ValueError(
                "distributed=True needs a process group: start the script with torchrun and call "
                "torch.distributed.init_process_group first."
            )
        n_processes = dist.get_world_size()
        started = [None] * n_processes
        dist.all_gather_object(started, (self.seed, len(rows), epochs))
        if len(set(started)) > 1:
            raise ValueError(
                "distributed=True, but the processes differ in (seed, beats, epochs): "
                f"{started}. Fit the same beats with the same int as random_state in all of them."
            )
        smallest = min(self.get_iterator(rows, training=True).sizes())
        if smallest < n_processes:
            raise ValueError(
                f"distributed=True with {n_processes} processes needs batches of at least as "
                f"many beats, got {smallest}: raise batch_size or start fewer processes."
            )

    def _mean_over_processes(self, loss: float) -> float:
        """Average a loss over all processes; early stopping then acts alike in all of them."""
        total = torch.tensor(loss, dtype=torch.float64, device=self.device)
        dist.all_reduce(total)
        return float(total) / dist.get_world_size()

    def _share_buffers(self) -> None:
        """Copy the buffers, such as batch norm statistics, of the first process to the others."""
        for buffer in self.module_.buffers():
            dist.broadcast(buffer, src=0)

    # skorch pickles tensors with their memory addresses. Here equal nets have equal pickles, so
    # that joblib can hash an estimator and a Pipeline with `memory` can reuse it.

    def __getstate__(self) -> dict:
        state = {**self.__dict__, "parallel": None}
        names = [
            name for name in state if name.startswith(tuple(self.cuda_dependent_attributes_))
        ]
        parts = {name: state.pop(name) for name in names}
        if self.initialized_:
            state["module"] = None  # the same object as `module_`
        # The first round trip merges equal strings, as in a copy of the net; pickles depend on
        # which objects are shared.
        once = _load(_dump(parts), "cpu")
        return {**state, "archive": _dump(once)}

    def __setstate__(self, state: dict) -> None:
        state = state.copy()
        state["device"] = device_here(state["device"])
        state |= _load(state.pop("archive"), state["device"])
        self.__dict__.update(state)
        if self.initialized_:
            self.module = self.module_


def _dump(parts: dict) -> bytes:
    """Serialize objects that contain tensors."""
    archive = io.BytesIO()
    torch.save(parts, archive)
    return archive.getvalue()


def _load(archive: bytes, device: str) -> dict:
    """Load objects onto a device. As with any pickle, the source must be trusted."""
    return torch.load(io.BytesIO(archive), map_location=device, weights_only=False)


class ReconstructionNet(BeatNet):
    """Net of an autoencoder; the target is the input.

    Before the first epoch it sets the module's ``standardize`` to the mean training beat and the
    root mean square deviation from it. The loss is computed after division by this root, so it is
    1 for a network that always returns the mean beat.
    """

    def train(self, rows: Rows, epochs: int, **kwargs: Any) -> bool:
        if not self.initialized_:
            standardize = self.module.standardize
            mean, scale = mean_and_scale(rows, standardize.mean.numel())
            standardize.set(torch.from_numpy(mean).reshape(standardize.mean.shape), scale)
        return super().train(rows, epochs, **kwargs)

    def get_loss(
        self, y_pred: Tensor, y_true: Tensor, X: Any = None, training: bool = False
    ) -> Tensor:
        scale = self.module_.standardize.scale
        return self.criterion_(y_pred / scale, X["x"] / scale, X["weight"])


def mean_and_scale(rows: Rows, width: int) -> tuple[np.ndarray, float]:
    """Compute the weighted mean row, and the root of the weighted mean square deviation from it.

    Only the first `width` columns are used. If all rows are equal, the scale is 1.
    """
    weight = rows.weight / rows.weight.sum()
    mean = np.zeros(width)
    for X, part in _weighted_blocks(rows, weight, width):
        mean += np.einsum("i,ij->j", part, X, dtype=np.float64)
    mean = mean.astype(np.float32)
    variance = 0.0
    for X, part in _weighted_blocks(rows, weight, width):
        deviations = X - mean
        variance += np.einsum("i,ij,ij->", part, deviations, deviations, dtype=np.float64) / width
    return mean, float(np.sqrt(variance)) or 1.0


def _weighted_blocks(
    rows: Rows, weight: np.ndarray, width: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    start = 0
    for block in rows.view.blocks():
        yield block[:, :width], weight[start : start + len(block)]
        start += len(block)


def make_net(
    make_module: Callable[[], nn.Module],
    criterion: nn.Module,
    *,
    seed: int,
    device: str,
    optimizer: str | type[torch.optim.Optimizer],
    weight_decay: float | None,
    kind: type[BeatNet] = BeatNet,
) -> BeatNet:
    """Build an untrained net; `make_module` is called with torch's global generator seeded."""
    found = resolve_device(device)
    if isinstance(optimizer, str):
        optimizer, options = OPTIMIZERS[optimizer]
        # One kernel for all parameters; torch implements it for these devices only.
        options = {**options, "fused": found.type in ("cpu", "cuda")}
    elif issubclass(optimizer, torch.optim.Optimizer):
        options = {}
    else:
        raise TypeError(
            f"optimizer={optimizer!r} is not a subclass of torch.optim.Optimizer: give one, or "
            f"one of the names {sorted(OPTIMIZERS)}."
        )
    if weight_decay is not None:
        options["weight_decay"] = weight_decay
    prefixed = {f"optimizer__{name}": value for name, value in options.items()}
    return kind(
        seeded(make_module, derive(seed, _WEIGHTS)),
        criterion,
        optimizer=optimizer,
        seed=derive(seed, _EPOCHS),
        device=str(found),
        verbose=0,
        **prefixed,
    )
