"""Training in several processes: the same network as in one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from ecgclf import ECGMLPClassifier
from ecgclf.datasets import make_beats
from ecgclf.training import Batches, Rows, _replicas
from ecgclf.training._replicas import device_names, gradient_vector, state_vector, take_state

some = settings(max_examples=40, deadline=None)
CPU = torch.device("cpu")


@some
@given(
    n=st.integers(1, 100), batch_size=st.integers(1, 40), n_parts=st.integers(1, 4),
    seed=st.integers(0, 99),
)  # fmt: skip
def test_parts_make_up_each_batch(n, batch_size, n_parts, seed):
    rows = Rows(np.arange(n, dtype=np.float32)[:, None], weight=np.arange(n) + 1.0)

    def batches(part: tuple[int, int]) -> list:
        made = Batches(rows, batch_size, CPU, shuffle=True)
        made.seed, made.part = seed, part
        return [(x["x"], x["weight"]) for x, _ in made]

    whole = batches((0, 1))
    parts = zip(*(batches((i, n_parts)) for i in range(n_parts)))
    assert [len(x) for x, _ in whole] == Batches(rows, batch_size, CPU).sizes()
    for (x, weight), of_batch in zip(whole, parts):
        assert torch.equal(torch.cat([part for part, _ in of_batch]), x)
        # The mean of the whole is the sum of the means of the parts.
        means = [w.mean() for _, w in of_batch if len(w)]
        assert float(sum(means)) == pytest.approx(float(weight.mean()), rel=1e-5)


def network() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))


def test_a_copy_takes_all_that_a_step_depends_on():
    source, copy = network(), network()
    source(torch.randn(20, 3))  # moves the statistics of the batch norm
    source[0].weight.requires_grad = False
    source[1].eval()
    take_state(copy, state_vector(source))
    for name, tensor in source.state_dict().items():
        if "num_batches" not in name:
            assert torch.equal(copy.state_dict()[name], tensor)
    assert [p.requires_grad for p in copy.parameters()] == [False] + 5 * [True]
    assert [part.training for part in copy.modules()] == [True, True, False, True]


def test_gradients_and_loss_in_a_row():
    layer = nn.Linear(2, 1)
    loss = layer(torch.tensor([[3.0, 5.0]])).sum()
    loss.backward()
    layer.bias.grad = None
    assert gradient_vector(layer, loss).tolist() == [3.0, 5.0, 0.0, loss.item()]


# --- devices -------------------------------------------------------------------------------


def test_names_of_devices(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    assert device_names("cpu", 3) == ["cpu"] * 3
    assert device_names("cuda", 2) == device_names("auto", 2) == ["cuda:0", "cuda:1"]
    assert device_names("cuda:1", 1) == ["cuda:1"]
    with pytest.raises(ValueError, match=r"n_devices=4, but torch .* sees 3 CUDA"):
        device_names("cuda", 4)
    with pytest.raises(ValueError, match="device='cuda:1': only one such device"):
        device_names("cuda:1", 2)


def small(**params) -> ECGMLPClassifier:
    defaults = {"dense": (8,), "max_epochs": 2, "batch_size": 64, "device": "cpu"}
    return ECGMLPClassifier(**{**defaults, "verbose": 0, "random_state": 0, **params})


@pytest.fixture(scope="module")
def beats():
    return make_beats(n_beats=201, random_state=0)


def test_two_processes_learn_what_one_learns(beats):
    """Clipping, early stopping, weights, and parts of unequal size, all in one training."""
    params = {"early_stopping": True, "max_grad_norm": 0.5, "n_iter_no_change": 2}
    given = {
        "sample_weight": np.arange(len(beats.data)) % 3 + 0.5,
        "groups": beats.groups,
    }
    one, two = (
        small(**params, n_devices=n).fit(beats.data, beats.target, **given) for n in (1, 2)
    )
    np.testing.assert_allclose(
        two.predict_proba(beats.data), one.predict_proba(beats.data), atol=1e-5
    )
    for column in ("train_loss", "valid_loss", "lr"):
        np.testing.assert_allclose(two.history_[column], one.history_[column], rtol=1e-4)
    assert not torch.distributed.is_initialized()


PROGRAM = """
import os, pickle, sys
import numpy as np, torch
from torch import nn
from skorch.callbacks import Callback
from ecgclf import ECGMLPClassifier
from ecgclf.datasets import make_beats

beats = make_beats(n_beats=200, random_state=0)
model = ECGMLPClassifier(
    dense=(8,), max_epochs=3, batch_size=64, device="cpu", n_devices=2, verbose=0, random_state=0
)

class Watch(Callback):
    # Tells who the other process is.
    def on_batch_begin(self, net, **kwargs):
        (process,) = net.replicas._processes
        print(process.pid, net.replicas._folder.name, flush=True)
        net.callbacks_ = [(n, c) for n, c in net.callbacks_ if c is not self]

def noise(signals, generator):
    return signals + 0.1 * torch.randn(signals.shape, generator=generator)
"""


def run(code: str) -> subprocess.CompletedProcess:
    """Run a script that has no guard around its main part, as users write them."""
    return subprocess.run(
        [sys.executable, "-c", PROGRAM + textwrap.dedent(code)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        timeout=550,
    )


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_script_without_a_guard_and_with_its_own_functions():
    """Fitted twice it is the same; then an error in the other process comes back."""
    done = run("""
        model.set_params(augment=noise, dense_dropout=0.3, callbacks=[Watch()])
        first, second = (model.fit(beats.data, beats.target).predict_proba(beats.data)
                         for _ in range(2))
        print(np.array_equal(first, second), model.history_["train_loss"].is_monotonic_decreasing)

        def fail(signals, generator):
            if torch.distributed.get_rank() == 1:
                raise ArithmeticError("the dog ate it")
            return signals

        model.set_params(augment=fail).fit(beats.data, beats.target)
    """)
    assert done.returncode == 1
    *watched, equal, last = done.stdout.splitlines()
    assert equal == "True True"
    assert len([*watched, last]) == 3
    for line in (*watched, last):
        pid, folder = line.split()
        assert not is_alive(int(pid))
        assert not os.path.exists(folder)
    error = done.stderr[done.stderr.rindex("RuntimeError: Process 2 of n_devices=2 has ended") :]
    assert "ArithmeticError: the dog ate it" in error


@pytest.mark.skipif(sys.platform == "win32", reason="no such signal there")
def test_no_process_outlives_the_first_one():
    done = run(f"""
        class Die(Callback):
            def on_epoch_end(self, net, **kwargs):
                os.kill(os.getpid(), {int(signal.SIGTERM)})
        model.set_params(callbacks=[Watch(), Die()], max_epochs=1000)
        model.fit(beats.data, beats.target)
    """)
    assert done.returncode == -signal.SIGTERM
    pid, _ = done.stdout.split()
    # It ends when its connection does.
    for _ in range(300):
        if not is_alive(int(pid)):
            break
        subprocess.run(["sleep", "0.1"], check=True)
    assert not is_alive(int(pid))


def test_a_process_that_does_not_begin(beats, monkeypatch):
    monkeypatch.setattr(_replicas, "_PROGRAM", "raise SystemExit('no memory for me')")
    with pytest.raises(RuntimeError, match=r"exit code 1.*\nno memory for me"):
        small(n_devices=2).fit(beats.data, beats.target)
    assert not torch.distributed.is_initialized()


def test_inside_another_distributed_training(beats, monkeypatch):
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    with pytest.raises(RuntimeError, match="set n_devices=1"):
        small(n_devices=2).fit(beats.data, beats.target)


def test_one_device_starts_no_process(beats, monkeypatch):
    monkeypatch.setattr(_replicas.subprocess, "Popen", None)
    small().fit(beats.data, beats.target)
    with pytest.raises(TypeError):
        small(n_devices=2).fit(beats.data, beats.target)
