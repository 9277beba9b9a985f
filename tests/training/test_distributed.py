"""Training in two processes of torch.distributed, compared with training in one."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgclf import ECGMLPClassifier
from ecgclf.datasets import make_beats
from ecgclf.training._rows import Batches, Rows

CPU = torch.device("cpu")


@settings(max_examples=40, deadline=None)
@given(
    n=st.integers(1, 100), batch_size=st.integers(1, 40), n_parts=st.integers(1, 4),
    seed=st.integers(0, 99),
)  # fmt: skip
def test_parts_of_batches(n, batch_size, n_parts, seed):
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
        # The mean over the batch is the mean over the processes. A part may be empty.
        means = [w.mean() for _, w in of_batch if len(w)]
        assert float(sum(means)) / n_parts == pytest.approx(float(weight.mean()), rel=1e-5)


#: One of two processes. Saves the probabilities and losses of each of its models.
PROGRAM = """
import sys
import numpy as np, torch
from ecgclf import ECGCNNClassifier, ECGMLPClassifier, ECGTransferClassifier
from ecgclf.datasets import make_beats

rank, folder = int(sys.argv[1]), sys.argv[2]
torch.distributed.init_process_group(
    "gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2
)
beats = make_beats(n_beats=201, random_state=0)
small = dict(max_epochs=2, batch_size=64, device="cpu", verbose=0, random_state=0)

def noise(signals, generator):
    return signals + 0.1 * torch.randn(signals.shape, generator=generator)

def fit(name, model, **given):
    model.set_params(distributed=True).fit(beats.data, beats.target, **given)
    np.savez(
        f"{folder}/{name}-{rank}", proba=model.predict_proba(beats.data),
        **model.history_.filter(["train_loss", "valid_loss"]),
    )
    return model

weights = np.arange(len(beats.data)) % 3 + 0.5
fit(
    "mlp",
    ECGMLPClassifier(
        dense=(8,), early_stopping=True, max_grad_norm=0.5, n_iter_no_change=2, **small
    ),
    sample_weight=weights, groups=beats.groups,
)
cnn = ECGCNNClassifier(
    filters=(4, 8), stride=2, conv_dropout=0.3, augment=noise, early_stopping=True, **small
)
fit("first", cnn)
fit("second", cnn)
small["max_epochs"] = 3
fit("transfer", ECGTransferClassifier(source=cnn, strategy="gradual", **small))

def error(model):
    try:
        model.fit(beats.data, beats.target)
    except ValueError as error:
        return str(error)

with open(f"{folder}/errors-{rank}", "w") as file:
    mlp = ECGMLPClassifier(dense=(8,), distributed=True, **small)
    print(error(mlp.set_params(random_state=rank)), file=file)
    print(error(mlp.set_params(random_state=0, batch_size=1)), file=file)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Folder with the results of two processes."""
    folder = tmp_path_factory.mktemp("processes")
    (folder / "program.py").write_text(PROGRAM)
    paths = os.pathsep.join(filter(None, [os.getcwd(), *sys.path]))
    processes = [
        subprocess.Popen(
            [sys.executable, str(folder / "program.py"), str(rank), str(folder)],
            env={**os.environ, "PYTHONPATH": paths},
        )
        for rank in range(2)
    ]
    try:
        assert [process.wait(timeout=500) for process in processes] == [0, 0]
    finally:
        for process in processes:
            process.kill()
    return folder


def results(folder, name):
    return [dict(np.load(folder / f"{name}-{rank}.npz")) for rank in range(2)]


@pytest.mark.parametrize("name", ["mlp", "first", "transfer"])
def test_processes_end_with_the_same_model(folder, name):
    first, second = results(folder, name)
    for key in first:
        np.testing.assert_array_equal(first[key], second[key])


def test_two_processes_equal_one(folder):
    """With clipping, early stopping, weights, and parts of unequal size."""
    beats = make_beats(n_beats=201, random_state=0)
    one = ECGMLPClassifier(
        dense=(8,), early_stopping=True, max_grad_norm=0.5, n_iter_no_change=2, max_epochs=2,
        batch_size=64, device="cpu", verbose=0, random_state=0,
    )  # fmt: skip
    weights = np.arange(len(beats.data)) % 3 + 0.5
    one.fit(beats.data, beats.target, sample_weight=weights, groups=beats.groups)
    two, _ = results(folder, "mlp")
    np.testing.assert_allclose(two["proba"], one.predict_proba(beats.data), atol=1e-5)
    for column in ("train_loss", "valid_loss"):
        np.testing.assert_allclose(two[column], one.history_[column], rtol=1e-4)


def test_dropout_and_augmentation_are_reproducible(folder):
    first, second = results(folder, "first")[0], results(folder, "second")[0]
    np.testing.assert_array_equal(first["proba"], second["proba"])


def test_errors_in_all_processes(folder):
    for rank in range(2):
        different, too_small = (folder / f"errors-{rank}").read_text().splitlines()
        assert "Fit the same beats with the same int as random_state" in different
        assert "batches of at least as many beats, got 1" in too_small


def test_without_a_process_group():
    X, y = make_beats(n_beats=50, random_state=0, return_X_y=True)
    with pytest.raises(ValueError, match=r"torchrun and call torch\.distributed\.init_process"):
        ECGMLPClassifier(max_epochs=1, distributed=True, verbose=0).fit(X, y)
