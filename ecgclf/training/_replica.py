"""One of the other processes of a training on several devices; see `Replicas`."""

from __future__ import annotations

import os
import pickle
import sys
import traceback
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist

from ecgclf.modules import set_generator
from ecgclf.training._random import derive
from ecgclf.training._replicas import (
    ROWS,
    STORE,
    TASK,
    TIMEOUT,
    gradient_vector,
    state_vector,
    take_state,
)
from ecgclf.training._rows import Batches, Rows


def main() -> None:
    """Work until the first process ends this one; end at once on any error."""
    try:
        work(Path(sys.argv[1]), int(sys.argv[2]))
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)  # the first process is waiting


def work(folder: Path, rank: int) -> None:
    """Compute the gradients that the first process asks for, until it is no more."""
    task = pickle.loads((folder / TASK).read_bytes())
    n_devices = len(task["devices"])
    device = torch.device(task["devices"][rank])
    torch.set_num_threads(task["n_threads"])
    net = task["kind"](task["module"], task["criterion"], device=str(device), **task["options"])
    net.initialize()
    X = np.memmap(folder / ROWS, np.float32, "r", shape=task["shape"])
    batches = Batches(
        Rows(X, task["y"], task["weight"]),
        net.batch_size,
        device,
        shuffle=True,
        augment=net.augment,
    )
    batches.part = rank, n_devices
    store = dist.FileStore(str(folder / STORE), n_devices)
    store.set(f"ready-{rank}", "")
    dist.init_process_group("gloo", store=store, rank=rank, world_size=n_devices, timeout=TIMEOUT)

    module, seed, number = net.module_, -1, -1
    vector = state_vector(module)
    while True:
        asked_for = torch.empty(2, dtype=torch.int64)
        try:
            dist.broadcast(asked_for, src=0)
        except RuntimeError:
            return
        dist.broadcast(vector, src=0)
        take_state(module, vector)
        if asked_for[0] != seed:
            seed, number = int(asked_for[0]), -1
            batches.seed = seed
            generator = torch.Generator(device).manual_seed(derive(seed, rank))
            set_generator(module, generator)
            epoch = iter(batches)
        while number < asked_for[1]:
            x, y = next(epoch)
            number += 1
        module.zero_grad()
        loss = torch.zeros(())
        if len(y):
            loss = net.get_loss(net.infer(x), y, X=x, training=True)
            loss.backward()
        dist.reduce(gradient_vector(module, loss), dst=0)
