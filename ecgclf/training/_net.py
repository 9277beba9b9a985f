"""The skorch net that trains every network of ours."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from skorch import NeuralNetClassifier
from skorch.callbacks import Callback, EpochTimer, GradientNormClipping
from torch import Tensor, nn

from ecgclf.augmentation import OnSignals
from ecgclf.modules import set_generator
from ecgclf.training._checkpoint import Checkpoint, RunState
from ecgclf.training._device import device_here
from ecgclf.training._random import derive
from ecgclf.training._replicas import Replicas
from ecgclf.training._rows import Batches, Rows

#: Beats in one batch of a prediction on a CPU: larger ones leave its caches.
PREDICTION_BATCH = 128

#: The same on other devices, or the training batch size where that is larger.
PREDICTION_BATCH_ON_DEVICE = 1024

#: Beats from which on the rounding of a prediction does not depend on their number.
SMALLEST_BATCH = 32


class BeatNet(NeuralNetClassifier):
    """skorch's training loop, fed with batches gathered from memory.

    What it adds to skorch: `Rows` in place of a ``DataLoader``, weights in the loss, one seed
    for the whole run, losses that are read from the device once an epoch, and an error when
    the loss is no longer a number. All else, callbacks above all, is skorch's.

    Parameters
    ----------
    module : Module
        Takes a Tensor of shape (batch, n_columns), gives logits or whatever `criterion` takes.
    criterion : Module
        Called with that, class codes and weights.
    seed : int
        Seed of the run. Epoch ``i`` depends on it and on ``i`` alone, so a run that is
        continued equals one that never stopped.
    augment : OnSignals, optional
        Called with every training batch and a generator.
    max_grad_norm : float, optional
        Length to which the gradient of all parameters together is cut down.
    amp : bool, default=False
        Compute in bfloat16 where torch's autocast does, if the device is a CUDA device.
    n_devices : int, default=1
        Processes to train in, each on a device of its own.
    **kwargs
        Parameters of `skorch.NeuralNetClassifier`.

    Examples
    --------
    >>> from ecgclf.training import CrossEntropyLoss, LearningRate
    >>> net = BeatNet(nn.Linear(187, 5), CrossEntropyLoss())
    >>> rows = Rows(np.zeros((10, 187), dtype=np.float32), y=np.arange(10) % 5)
    >>> interrupted = net.train(rows, 3, callbacks=[LearningRate()])
    >>> net.outputs(rows).shape
    (10, 5)
    """

    def __init__(
        self,
        module: nn.Module,
        criterion: nn.Module,
        *,
        seed: int = 0,
        augment: OnSignals | None = None,
        max_grad_norm: float | None = None,
        amp: bool = False,
        n_devices: int = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(module, criterion=criterion, **kwargs)
        self.seed = seed
        self.augment = augment
        self.max_grad_norm = max_grad_norm
        self.amp = amp
        self.n_devices = n_devices
        self.replicas: Replicas | None = None

    def get_default_callbacks(self) -> list[tuple[str, Callback]]:
        """Only the timer and the clipping: losses are recorded by `run_single_epoch`."""
        callbacks: list[tuple[str, Callback]] = [("epoch_timer", EpochTimer())]
        if self.max_grad_norm is not None:
            callbacks.append(("gradient_norm", GradientNormClipping(self.max_grad_norm)))
        return callbacks

    def check_data(self, X: Rows, y: Any = None) -> None:
        """Note the classes; skorch would read all beats into memory for that."""
        self.classes_inferred_ = np.unique(X.y)

    def get_iterator(self, dataset: Rows, training: bool = False) -> Batches:
        """Cut `dataset` into batches; training batches are shuffled and augmented."""
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
        # A model that was moved to a CPU computes in float32 there.
        if not self.amp or torch.device(self.device).type != "cuda":
            return compute(x["x"])
        # bfloat16 has the range of float32, so that no gradient is lost and none needs scaling.
        with torch.autocast("cuda", torch.bfloat16):
            return compute(x["x"]).float()

    def get_loss(
        self, y_pred: Tensor, y_true: Tensor, X: Any = None, training: bool = False
    ) -> Tensor:
        """Compute the weighted loss of one batch."""
        return self.criterion_(y_pred, y_true, X["weight"])

    def train_step_single(self, batch: Any, **fit_params: Any) -> dict[str, Any]:
        """Compute the gradients of one batch, on all devices."""
        if self.replicas is None:
            return super().train_step_single(batch, **fit_params)
        self._set_training(True)
        self.replicas.send(self.module_, *self._place)
        step = super().train_step_single(batch, **fit_params)
        step["loss"] = self.replicas.add_up(self.module_, step["loss"])
        return step

    def run_single_epoch(
        self,
        iterator: Batches | None,
        training: bool,
        prefix: str,
        step_fn: Any,
        **fit_params: Any,
    ) -> None:
        """Run one pass over the data and record its mean loss as ``<prefix>_loss``.

        Raises
        ------
        ValueError
            If the loss is infinite or not a number.
        """
        if iterator is None:
            return
        if training:
            iterator.seed = derive(self.seed, len(self.history))
            generator = torch.Generator(self.device).manual_seed(iterator.seed)
            set_generator(self.module_, generator)
        if training and self.replicas is not None:
            iterator.part = 0, self.n_devices
        losses = []
        for number, batch in enumerate(iterator):
            self._place = iterator.seed, number
            self.notify("on_batch_begin", batch=batch, training=training)
            step = step_fn(batch)
            losses.append(step["loss"].detach())
            self.notify("on_batch_end", batch=batch, training=training, **step)
        loss = float(np.average(torch.stack(losses).cpu().numpy(), weights=iterator.sizes()))
        if not np.isfinite(loss):
            raise ValueError(
                f"The {'training' if training else 'validation'} loss became {loss} in epoch "
                f"{len(self.history)}. Lower lr ({self.lr}), or bring the input to a common "
                "scale."
            )
        name = f"{prefix}_loss"
        best = min((row.get(name, np.inf) for row in self.history[:-1]), default=np.inf)
        self.history.record(name, loss)
        self.history.record(f"{name}_best", loss < best)
        self.history.record(f"{prefix}_batch_count", len(losses))

    def notify(self, method_name: str, **cb_kwargs: Any) -> None:
        """Tell the callbacks; remember whether one of them ended the training."""
        try:
            super().notify(method_name, **cb_kwargs)
        except KeyboardInterrupt:
            # Early stopping ends skorch's loop by the same exception as Ctrl-C.
            self.stopped_by_callback_ = method_name == "on_epoch_end"
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
        """Train for some epochs, from where the net stands.

        Parameters
        ----------
        rows : Rows
        epochs : int
        validation : Rows, optional
            Never trained on; its loss is recorded after every epoch.
        callbacks : sequence of skorch callbacks
        new_optimizer : bool, default=False
            Forget the optimizer's state.
        keep : callable, optional
            Called after every epoch with the state of the run: plain values, and arrays.
        resume : tuple of what `keep` was called with, optional
            Go on from the epoch after which it was called, and end as a run that never
            stopped. All else must be as it was.

        Returns
        -------
        bool
            Whether the user interrupted the training.

        Raises
        ------
        ValueError
            If `amp` is set and the device is no CUDA device, or the loss diverges.
        """
        if self.amp and torch.device(self.device).type != "cuda":
            raise ValueError(
                f"amp=True needs a CUDA device, but the network is on {self.device!r}: set "
                "amp=False, or device='cuda' on a machine that has one."
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
        goal = len(self.history) + epochs
        if resume is not None:
            self.history[:] = resume[0]["history"]
        try:
            with self._replicas_for(rows):
                self.partial_fit(rows, epochs=goal - len(self.history))
        finally:
            set_generator(self.module_, None)
            self.train_split = None
            n_done = sum("dur" in row for row in self.history)
            del self.history[n_done:]  # an epoch that did not end has no figures
        return not self.stopped_by_callback_ and n_done < goal

    @contextmanager
    def _replicas_for(self, rows: Rows) -> Iterator[None]:
        """Let other processes take part, if there are to be any."""
        if self.n_devices == 1:
            yield
            return
        with Replicas(self, rows, self.n_devices) as self.replicas:
            try:
                yield
            finally:
                self.replicas = None

    def outputs(self, rows: Rows, part: Callable[[Tensor], Tensor] | None = None) -> np.ndarray:
        """Compute the output of the module for all rows.

        Parameters
        ----------
        rows : Rows
        part : callable, optional
            A part of the module to use in place of the whole: from a Tensor of rows to one of
            shape (batch, n_outputs).

        Returns
        -------
        ndarray of shape (n_beats, n_outputs), float32

        Raises
        ------
        ValueError
            If one is infinite or not a number.
        """
        n_beats = len(rows)
        # A product of a few rows takes another path and is rounded differently. What is
        # predicted beside a beat must not change its figures, so a batch is never that small.
        if n_beats < SMALLEST_BATCH:
            rows = rows.take(np.arange(SMALLEST_BATCH) % n_beats)
        self.module_.eval()
        with torch.no_grad():
            batches = [self.infer(x, part).float().cpu() for x, _ in self.get_iterator(rows)]
        outputs = torch.cat(batches).numpy()[:n_beats]
        if not np.isfinite(outputs).all():
            first = np.flatnonzero(~np.isfinite(outputs).all(axis=1))[0]
            raise ValueError(
                f"The output for the beat at position {first} is not finite. Its values reach "
                f"{np.abs(rows.view[first]).max():.3g}: bring them to the scale of the training "
                f"beats; or the training diverged at its end: lower lr ({self.lr})."
            )
        return outputs

    # skorch pickles what lives on a device, and such a pickle names tensors by their address.
    # Here equal nets give equal bytes, so that joblib can hash an estimator and a Pipeline
    # with `memory` knows it again.

    def __getstate__(self) -> dict:
        state = {**self.__dict__, "replicas": None}
        names = [
            name for name in state if name.startswith(tuple(self.cuda_dependent_attributes_))
        ]
        parts = {name: state.pop(name) for name in names}
        if self.initialized_:
            state["module"] = None  # the same object as `module_`
        # Only after a first round trip do equal strings share their memory as they do in a
        # copy of the net, and an archive shows what is shared.
        once = _unarchived(_archived(parts), "cpu")
        return {**state, "archive": _archived(once)}

    def __setstate__(self, state: dict) -> None:
        state = state.copy()
        state["device"] = device_here(state["device"])
        state |= _unarchived(state.pop("archive"), state["device"])
        self.__dict__.update(state)
        if self.initialized_:
            self.module = self.module_


def _archived(parts: dict) -> bytes:
    """Write objects that hold tensors into an archive of torch."""
    archive = io.BytesIO()
    torch.save(parts, archive)
    return archive.getvalue()


def _unarchived(archive: bytes, device: str) -> dict:
    """Read objects onto a device. Whoever unpickles a net trusts where it came from."""
    return torch.load(io.BytesIO(archive), map_location=device, weights_only=False)
