"""Losses, compared with scikit-learn, torch and their formulas."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import log_softmax, softmax
from sklearn.metrics import log_loss

from ecgclf.training import CrossEntropyLoss, FocalLoss

some = settings(max_examples=30, deadline=None)


@st.composite
def batches(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, n_classes = draw(st.integers(2, 30)), draw(st.integers(2, 6))
    logits = rng.normal(scale=draw(st.floats(0.1, 5)), size=(n, n_classes))
    codes = rng.integers(0, n_classes, n)
    weight = rng.uniform(0.1, 3, n)
    return logits, codes, weight / weight.mean()


def call(loss, logits, codes, weight, dtype=torch.float64):
    logits = torch.tensor(logits, dtype=dtype, requires_grad=True)
    value = loss(logits, torch.tensor(codes), torch.tensor(weight, dtype=dtype))
    value.backward()
    return value.item(), logits.grad.numpy()


@some
@given(batch=batches())
def test_cross_entropy_equals_log_loss(batch):
    logits, codes, weight = batch
    expected = log_loss(
        codes, softmax(logits, axis=1), sample_weight=weight, labels=range(logits.shape[1])
    )
    value, gradient = call(CrossEntropyLoss(), *batch)
    assert value == pytest.approx(expected)
    # By hand: weight times (probability less one for the true class), over the batch.
    residual = softmax(logits, axis=1) - np.eye(logits.shape[1])[codes]
    np.testing.assert_allclose(gradient, residual * weight[:, None] / len(codes), atol=1e-12)


@some
@given(batch=batches(), gamma=st.floats(0, 5))
def test_focal_loss_equals_its_formula(batch, gamma):
    logits, codes, weight = batch
    log_p = log_softmax(logits, axis=1)[np.arange(len(codes)), codes]
    expected = np.mean(-weight * (1 - np.exp(log_p)) ** gamma * log_p)
    value, gradient = call(FocalLoss(gamma), *batch)
    assert value == pytest.approx(expected)
    assert np.isfinite(gradient).all()


@some
@given(batch=batches())
def test_focal_loss_with_gamma_0_is_the_cross_entropy(batch):
    focal, plain = call(FocalLoss(0.0), *batch), call(CrossEntropyLoss(), *batch)
    assert focal[0] == pytest.approx(plain[0])
    np.testing.assert_allclose(focal[1], plain[1], atol=1e-12)


@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0, 3.5])
def test_gradient_of_the_focal_loss(gamma):
    rng = np.random.default_rng(0)
    logits = torch.tensor(rng.normal(size=(5, 4)), requires_grad=True)
    codes, weight = torch.tensor([0, 1, 2, 3, 0]), torch.tensor(rng.uniform(0.5, 2, 5))
    assert torch.autograd.gradcheck(lambda z: FocalLoss(gamma)(z, codes, weight), (logits,))


@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0])
def test_certain_beat_has_a_finite_gradient(gamma):
    """The base of the power is 0 there, and its root has no derivative."""
    value, gradient = call(
        FocalLoss(gamma), [[200.0, -200.0], [0.0, 0.0]], [0, 1], [1.0, 1.0], torch.float32
    )
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize("loss", [CrossEntropyLoss(), FocalLoss(2.0)])
def test_certainly_wrong_beat_has_a_finite_loss(loss):
    value, gradient = call(loss, [[-1000.0, 1000.0]], [0], [1.0], torch.float32)
    assert value == pytest.approx(2000.0)
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize("loss", [CrossEntropyLoss(), FocalLoss(2.0)])
def test_weights(loss):
    logits, codes = (
        torch.randn(4, 3, generator=torch.Generator().manual_seed(0)),
        torch.arange(4) % 3,
    )
    each = loss.per_beat(logits, codes)
    assert each.shape == (4,)
    weight = torch.tensor([0.0, 1.0, 3.0, 0.0])
    torch.testing.assert_close(loss(logits, codes, weight), (each[1] + 3 * each[2]) / 4)


def test_per_beat_equals_torch():
    logits = torch.randn(7, 3, generator=torch.Generator().manual_seed(0))
    codes = torch.arange(7) % 3
    expected = F.cross_entropy(logits, codes, reduction="none")
    torch.testing.assert_close(CrossEntropyLoss().per_beat(logits, codes), expected)
    assert (FocalLoss(1.0).per_beat(logits, codes) < expected).all()


def test_several_labels_equal_torch():
    rng = torch.Generator().manual_seed(0)
    logits, target = torch.randn(7, 3, generator=rng), torch.arange(21).reshape(7, 3) % 2
    expected = F.binary_cross_entropy_with_logits(logits, target.float(), reduction="none")
    torch.testing.assert_close(CrossEntropyLoss().per_beat(logits, target), expected)
    torch.testing.assert_close(FocalLoss(0.0).per_beat(logits, target), expected)
    p_true = torch.where(target == 1, logits.sigmoid(), 1 - logits.sigmoid())
    focal = -((1 - p_true) ** 2) * p_true.log()
    torch.testing.assert_close(FocalLoss(2.0).per_beat(logits, target), focal)
    smooth = F.binary_cross_entropy_with_logits(logits, 0.9 * target + 0.05, reduction="none")
    torch.testing.assert_close(CrossEntropyLoss(0.1).per_beat(logits, target), smooth)
    weight = torch.rand(7, 3, generator=rng)
    torch.testing.assert_close(
        CrossEntropyLoss()(logits, target, weight), (expected * weight).mean()
    )
