"""Copies of a network in other processes, each of which learns from a part of every batch."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import joblib
import torch
import torch.distributed as dist
from torch import Tensor, nn

from ecgclf.training._device import resolve_device
from ecgclf.training._rows import Rows

if TYPE_CHECKING:
    from ecgclf.training._net import BeatNet

#: Names of the files by which a copy is told what it is.
TASK, ROWS, STORE = "task", "rows", "store"

#: One process may look at its validation beats for long while the others wait. If one ends,
#: its connections close, and no other waits for it any longer.
TIMEOUT = timedelta(days=1)

_PROGRAM = "from ecgclf.training._replica import main; main()"


def device_names(device: str, n_devices: int) -> list[str]:
    """Name the devices of several processes.

    Parameters
    ----------
    device : str
        As in `ecgclf.estimators.BeatEstimator`.
    n_devices : int

    Returns
    -------
    list of str

    Raises
    ------
    ValueError
        If there are not so many.

    Examples
    --------
    >>> device_names("cpu", 2)
    ['cpu', 'cpu']
    """
    found = resolve_device(device)
    if n_devices == 1 or found.type == "cpu":
        return [str(found)] * n_devices
    if found.type != "cuda" or found.index is not None:
        raise ValueError(
            f"n_devices={n_devices} with device={device!r}: only one such device is there. Give "
            "device='cuda' for the first CUDA devices, or n_devices=1."
        )
    count = torch.cuda.device_count()
    if n_devices > count:
        raise ValueError(
            f"n_devices={n_devices}, but torch {torch.__version__} sees {count} CUDA device(s) "
            f"here: give at most {count}."
        )
    return [f"cuda:{i}" for i in range(n_devices)]


class Replicas:
    """The other processes of a training on several devices, seen from the first one.

    The first process runs the training as it always does: it alone has the optimizer, the
    schedule, the callbacks and what is held out. In every step it sends its weights to the
    others, all compute the gradient of the loss on their part of the batch, and the sum of
    these comes back to it. So all networks are the same at every step, whatever callbacks do.

    Use it as a context; at the end of the block, all processes have ended.

    Parameters
    ----------
    net : BeatNet
        Initialized.
    rows : Rows
        What it is trained on. The others read it from a temporary file.
    n_devices : int

    Raises
    ------
    RuntimeError
        If a process ends too early, with what it has said; or if this one is a part of a
        distributed training already.
    """

    def __init__(self, net: BeatNet, rows: Rows, n_devices: int) -> None:
        self.net = net
        self.rows = rows
        self.n_devices = n_devices

    def __enter__(self) -> Replicas:
        if dist.is_initialized():
            raise RuntimeError(
                f"n_devices={self.n_devices} starts processes of its own, but this one belongs "
                "to a group of torch.distributed already: set n_devices=1."
            )
        self._devices = device_names(self.net.device, self.n_devices)
        self._folder = tempfile.TemporaryDirectory()
        self._processes: list[subprocess.Popen] = []
        shows_errors = sys.excepthook
        try:
            folder = Path(self._folder.name)
            self._write_task(folder)
            self._processes = [self._start(folder, rank) for rank in range(1, self.n_devices)]
            store = dist.FileStore(str(folder / STORE), self.n_devices)
            self._wait_until_ready(store)
            dist.init_process_group(
                "gloo", store=store, rank=0, world_size=self.n_devices, timeout=TIMEOUT
            )
        except BaseException:
            self.__exit__()
            raise
        finally:
            sys.excepthook = shows_errors  # torch puts one of its own there, for good
        return self

    def __exit__(self, *exception: object) -> None:
        for process in self._processes:
            process.kill()
        for process in self._processes:
            process.wait()
        if dist.is_initialized():
            dist.destroy_process_group()
        self._folder.cleanup()

    def send(self, module: nn.Module, seed: int, number: int) -> None:
        """Let the others begin with a batch.

        Parameters
        ----------
        module : Module
            Whose weights they are to use.
        seed : int
            Of the epoch.
        number : int
            Of the batch in the epoch.
        """
        try:
            dist.broadcast(torch.tensor([seed, number]), src=0)
            dist.broadcast(state_vector(module), src=0)
        except RuntimeError as error:
            raise self._explained(error) from error

    def add_up(self, module: nn.Module, loss: Tensor) -> Tensor:
        """Add the gradients of the others to those of `module`.

        Parameters
        ----------
        module : Module
        loss : Tensor
            Of the part of the batch that was for this process.

        Returns
        -------
        Tensor
            Loss of the whole batch.
        """
        total = gradient_vector(module, loss)
        try:
            dist.reduce(total, dst=0)
        except RuntimeError as error:
            raise self._explained(error) from error
        parameters = list(module.parameters())
        *parts, of_batch = total.split([p.numel() for p in parameters] + [1])
        for parameter, part in zip(parameters, parts):
            if parameter.grad is not None:
                parameter.grad.copy_(part.view_as(parameter))
        return of_batch[0].to(loss.device)

    def _write_task(self, folder: Path) -> None:
        """Write all that the others need to know."""
        net, rows = self.net, self.rows
        with (folder / ROWS).open("wb") as file:
            rows.view.write(file, str(folder))
        task = {
            "kind": type(net),
            "module": copy.deepcopy(net.module_).cpu(),
            "criterion": copy.deepcopy(net.criterion_).cpu(),
            "options": {"batch_size": net.batch_size, "amp": net.amp, "augment": net.augment},
            "shape": rows.view.shape,
            "y": rows.y,
            "weight": rows.weight,
            "devices": self._devices,
            "n_threads": torch.get_num_threads(),
        }
        # With this, functions and classes of a script or a notebook can be sent as well.
        sent = joblib.wrap_non_picklable_objects(task, keep_wrapper=False)
        (folder / TASK).write_bytes(pickle.dumps(sent))

    def _start(self, folder: Path, rank: int) -> subprocess.Popen:
        """Start one process.

        By multiprocessing it would run the user's script once more.
        """
        with (folder / f"errors-{rank}").open("wb") as errors:
            return subprocess.Popen(
                [sys.executable, "-c", _PROGRAM, str(folder), str(rank)],
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                start_new_session=True,  # Ctrl-C is for the first process alone
            )

    def _wait_until_ready(self, store: dist.Store) -> None:
        """Wait until all processes have begun, or one has ended."""
        waiting = [f"ready-{rank}" for rank in range(1, self.n_devices)]
        while not store.check(waiting):
            if any(process.poll() is not None for process in self._processes):
                raise self._explained(RuntimeError("It has ended before it began."))
            time.sleep(0.02)

    def _explained(self, error: RuntimeError) -> RuntimeError:
        """Say what a process that has ended has said."""
        patience = time.monotonic() + 60
        while time.monotonic() < patience:
            for rank, process in enumerate(self._processes, start=1):
                if process.poll() is not None:
                    file = Path(self._folder.name, f"errors-{rank}")
                    said = file.read_text(encoding="utf-8", errors="replace").strip()
                    return RuntimeError(
                        f"Process {rank + 1} of n_devices={self.n_devices} has ended, with the "
                        f"exit code {process.returncode}, and so has the training. It said:\n"
                        f"{said[-4000:] or 'nothing'}"
                    )
            time.sleep(0.05)
        return error


def state_vector(module: nn.Module) -> Tensor:
    """Lay out what a step depends on: weights, buffers, and what is trained or frozen."""
    return torch.cat(
        [
            *(tensor.detach().flatten().cpu().float() for tensor in _tensors(module)),
            torch.tensor([p.requires_grad for p in module.parameters()], dtype=torch.float32),
            torch.tensor([part.training for part in module.modules()], dtype=torch.float32),
        ]
    )


def take_state(module: nn.Module, vector: Tensor) -> None:
    """Let a module take what `state_vector` gave of another."""
    tensors, parts = list(_tensors(module)), list(module.modules())
    parameters = list(module.parameters())
    sizes = [tensor.numel() for tensor in tensors]
    *values, trains, training = vector.split([*sizes, len(parameters), len(parts)])
    with torch.no_grad():
        for tensor, value in zip(tensors, values):
            tensor.copy_(value.view_as(tensor))
    for parameter, flag in zip(parameters, trains.bool().tolist()):
        parameter.requires_grad = flag
    for part, flag in zip(parts, training.bool().tolist()):
        part.training = flag


def gradient_vector(module: nn.Module, loss: Tensor) -> Tensor:
    """Lay out the gradients, 0 where there is none, and the loss behind them."""
    gradients: list[Any] = [
        torch.zeros(p.numel()) if p.grad is None else p.grad.detach().flatten().cpu().float()
        for p in module.parameters()
    ]
    return torch.cat([*gradients, loss.detach().reshape(1).cpu().float()])


def _tensors(module: nn.Module) -> list[Tensor]:
    """Parameters and those buffers that are no counters."""
    buffers = [buffer for buffer in module.buffers() if buffer.is_floating_point()]
    return [*module.parameters(), *buffers]
