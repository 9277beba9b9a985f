"""Label smoothing, class weights by a callable, gradient clipping, mixed precision."""

from __future__ import annotations

import pickle
from fractions import Fraction
from functools import partial

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from skorch.callbacks import Callback

from ecgclf import ECGCNNClassifier
from ecgclf.estimators._class_weight import EffectiveNumber
from ecgclf.training import BeatNet, CrossEntropyLoss, Rows
from tests.networks import small_cnn

some = settings(max_examples=30, deadline=None)

needs_cuda = pytest.mark.skipif(
    not torch.cuda.is_available(), reason="needs a CUDA device: torch sees none here"
)
without_cuda = pytest.mark.skipif(
    torch.cuda.is_available(), reason="is about a machine without CUDA"
)


small = partial(small_cnn, filters=(8,))


def untrained(**params) -> ECGCNNClassifier:
    """Make a model whose learning rate is near 0, so its loss is that of the initial weights."""
    still = {"max_epochs": 1, "lr": 1e-30, "lr_schedule": "constant", "batch_norm": False}
    return small(**still, batch_size=10_000, **params)


# --- label smoothing ---------------------------------------------------------------------------


@some
@given(smoothing=st.floats(0, 1), seed=st.integers(0, 2**31))
def test_smoothed_loss_equals_torch_and_the_formula(smoothing, seed):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(9, 5, generator=generator, dtype=torch.float64)
    codes = torch.randint(5, (9,), generator=generator)
    weight = torch.rand(9, generator=generator, dtype=torch.float64)
    loss = CrossEntropyLoss(label_smoothing=smoothing)
    expected = F.cross_entropy(logits, codes, label_smoothing=smoothing)
    torch.testing.assert_close(loss(logits, codes, torch.ones(9)), expected)
    target = (1 - smoothing) * F.one_hot(codes, 5) + smoothing / 5
    each = -(target * logits.log_softmax(1)).sum(1)
    torch.testing.assert_close(loss.per_beat(logits, codes), each)
    torch.testing.assert_close(loss(logits, codes, weight), (weight * each).mean())


def test_label_smoothing_is_used_in_training(beats):
    model = untrained(label_smoothing=0.2).fit(beats.data, beats.target)
    p = model.predict_proba(beats.data)
    target = 0.8 * (beats.target[:, None] == model.classes_) + 0.2 / len(model.classes_)
    expected = -(target * np.log(p)).sum(axis=1).mean()
    assert model.history_["train_loss"].iloc[0] == pytest.approx(expected, rel=1e-5)


def test_label_smoothing_lowers_the_confidence(beats):
    certainty = [
        small(label_smoothing=s, max_epochs=20).fit(beats.data, beats.target)
        .predict_proba(beats.data).max(axis=1).mean()
        for s in (0.0, 0.3)
    ]  # fmt: skip
    assert certainty[1] < certainty[0] - 0.05


def test_label_smoothing_with_the_focal_loss_is_an_error(beats):
    with pytest.raises(ValueError, match=r"label_smoothing=0\.1 needs loss='cross_entropy'"):
        small(loss="focal", label_smoothing=0.1).fit(beats.data, beats.target)


# --- class weights -----------------------------------------------------------------------------


@some
@given(
    counts=st.lists(st.integers(1, 300), min_size=2, max_size=6),
    beta=st.fractions(0, Fraction(9999, 10000), max_denominator=10_000),
)
def test_the_effective_number_by_its_formula(counts, beta):
    """In exact arithmetic."""
    inverse = [(1 - beta) / (1 - beta**n) for n in counts]
    expected = [float(len(counts) * w / sum(inverse)) for w in inverse]
    weights = EffectiveNumber(beta=float(beta))(np.array(counts))
    np.testing.assert_allclose(weights, expected, rtol=1e-9)


def test_the_effective_number_by_hand():
    """Effective numbers 1, 1.5 and 1.75; 1 + 2 / 3 + 4 / 7 is 47 / 21."""
    weights = EffectiveNumber(beta=0.5)(np.array([1.0, 2.0, 3.0]))
    np.testing.assert_allclose(weights, np.array([21, 14, 12]) * 3 / 47)


def test_the_effective_number_between_equal_and_balanced_weights():
    totals = np.array([900.0, 90.0, 0.0, 9.0])
    np.testing.assert_array_equal(EffectiveNumber(beta=0)(totals), [1, 1, 0, 1])
    balanced = np.array([1 / 900, 1 / 90, 0, 1 / 9])
    balanced *= 3 / balanced.sum()
    np.testing.assert_allclose(EffectiveNumber(beta=1 - 1e-9)(totals), balanced, rtol=1e-5)
    for beta in (0.9, 0.999):
        assert EffectiveNumber(beta=beta)(totals).sum() == pytest.approx(3)


@pytest.mark.parametrize("beta", [1, 1.5, -0.1, np.nan, "0.9", None])
def test_invalid_beta(beta, beats):
    with pytest.raises(ValueError, match=r"beta=.*from 0 to less than 1"):
        small(class_weight=EffectiveNumber(beta=beta)).fit(beats.data, beats.target)


def test_effective_number_equals_sample_weights(beats):
    counts = np.bincount(np.searchsorted(np.unique(beats.target), beats.target))
    by_class = (1 - 0.99) / (1 - 0.99**counts)
    weight = by_class[np.searchsorted(np.unique(beats.target), beats.target)]
    model = small(class_weight=EffectiveNumber(beta=0.99)).fit(beats.data, beats.target)
    expected = small().fit(beats.data, beats.target, sample_weight=weight)
    np.testing.assert_allclose(
        model.predict_proba(beats.data), expected.predict_proba(beats.data), atol=1e-4
    )


def test_a_callable_gets_sums_of_weights(beats, rng):
    times = rng.integers(0, 3, size=len(beats.target))
    seen = []

    def record(totals):
        seen.append(totals)
        return np.ones(len(totals))

    small(class_weight=record).fit(beats.data, beats.target, times)
    small(class_weight=record).fit(beats.data.repeat(times, 0), beats.target.repeat(times))
    np.testing.assert_array_equal(seen[0], seen[1])
    assert seen[0].sum() == times.sum()


@pytest.mark.parametrize(
    "returned", [np.ones(3), 1.0, [-1.0, 1, 1, 1, 1], [np.inf, 1, 1, 1, 1], np.ones((5, 1))]
)
def test_a_callable_returns_invalid_weights(beats, returned):
    with pytest.raises(ValueError, match=r"class_weight=.*returned .*0 or more for each class"):
        small(class_weight=lambda totals: returned).fit(beats.data, beats.target)


def test_a_callable_returns_zeros(beats):
    with pytest.raises(ValueError, match="every beat the weight 0"):
        small(class_weight=np.zeros_like).fit(beats.data, beats.target)


def test_partial_fit_does_not_take_a_callable(beats):
    with pytest.raises(ValueError, match=r"partial_fit does not know.*EffectiveNumber"):
        small(class_weight=EffectiveNumber()).partial_fit(beats.data, beats.target, list("FNQSV"))


def test_effective_number_in_clone_pickle_and_grid_search(beats):
    model = small(class_weight=EffectiveNumber(beta=0.9))
    for copy in (clone(model), pickle.loads(pickle.dumps(model))):
        assert copy.class_weight is not model.class_weight
        assert copy.class_weight.beta == 0.9
    search = GridSearchCV(model, {"class_weight__beta": [0.5, 0.99]}, cv=2)
    search.fit(beats.data, beats.target)
    assert search.best_estimator_.class_weight.beta == search.best_params_["class_weight__beta"]


# --- gradient clipping -------------------------------------------------------------------------


class GradientNorms(Callback):
    """Record the norm of the gradient that the optimizer gets."""

    def __init__(self):
        self.norms = []

    def on_grad_computed(self, net, named_parameters, **kwargs):
        squares = [p.grad.square().sum() for _, p in named_parameters]
        self.norms.append(torch.stack(squares).sum().sqrt().item())


def norms_of(model: ECGCNNClassifier) -> np.ndarray:
    recorders = [c for _, c in model.net_.callbacks_ if isinstance(c, GradientNorms)]
    return np.array(recorders[0].norms)


def test_the_gradient_norm_is_limited(beats):
    X, y = beats.data, beats.target
    free = norms_of(small(callbacks=[GradientNorms()]).fit(X, y))
    bound = np.median(free)
    cut = norms_of(small(callbacks=[GradientNorms()], max_grad_norm=bound).fit(X, y))
    assert free.max() > 1.05 * bound
    assert cut.max() <= bound * (1 + 1e-5)
    assert cut[0] == pytest.approx(min(free[0], bound), rel=1e-5)


def test_only_a_small_limit_changes_the_model(beats):
    X, y = beats.data, beats.target
    free, loose, tight = (
        small(optimizer="sgd", max_grad_norm=limit).fit(X, y).predict_proba(X)
        for limit in (None, 1e6, 1e-3)
    )
    np.testing.assert_allclose(loose, free, atol=1e-6)
    assert np.abs(tight - free).max() > 1e-2


def test_clipping_in_partial_fit(beats):
    X, y = beats.data, beats.target
    model = small(callbacks=[GradientNorms()], max_grad_norm=1e-3)
    model.partial_fit(X, y, classes=list("FNQSV"))
    assert norms_of(model).max() <= 1e-3 * (1 + 1e-5)
    model.set_params(max_grad_norm=None).partial_fit(X, y)
    assert norms_of(model).max() > 1e-2


# --- mixed precision ---------------------------------------------------------------------------


@pytest.mark.parametrize("again", [False, True])
def test_mixed_precision_without_cuda_is_an_error(beats, again):
    model = small(device="cpu")
    if again:
        model.set_params(warm_start=True).fit(beats.data, beats.target)
    with pytest.raises(ValueError, match=r"amp=True needs a CUDA device.*'cpu'.*amp=False"):
        model.set_params(amp=True).fit(beats.data, beats.target)


def test_a_mixed_precision_model_uses_float32_on_a_cpu(beats):
    model = small(device="cpu").fit(beats.data, beats.target)
    expected = model.predict_proba(beats.data)
    model.net_.amp = True  # as after loading a model that was trained on a GPU
    np.testing.assert_array_equal(model.predict_proba(beats.data), expected)


@without_cuda
def test_autocast_is_used_on_cuda(monkeypatch):
    """Tests the branch for CUDA with autocast for the CPU."""
    autocast, asked = torch.autocast, []

    def on_cpu(device, dtype):
        asked.append((device, dtype))
        return autocast("cpu", dtype)

    net = BeatNet(torch.nn.Linear(40, 3), CrossEntropyLoss(), amp=True).initialize()
    X = np.random.default_rng(0).normal(size=(50, 40)).astype(np.float32)
    x = {"x": torch.from_numpy(X)}
    full = net.infer(x)
    monkeypatch.setattr(torch, "autocast", on_cpu)
    net.device = "cuda:0"
    half = net.infer(x)
    assert asked == [("cuda", torch.bfloat16)]
    assert half.dtype == torch.float32
    assert torch.equal(half, half.bfloat16().float())
    assert not torch.equal(half, full)
    torch.testing.assert_close(half, full, atol=0.05, rtol=0.05)
    net.device = "cpu"
    np.testing.assert_array_equal(net.outputs(Rows(X)), full.detach().numpy())


@needs_cuda
def test_mixed_precision_reaches_the_same_accuracy(beats):
    X, y = beats.data, beats.target
    full, mixed = (
        small(device="cuda", amp=amp, max_epochs=20, filters=(16, 16)).fit(X, y)
        for amp in (False, True)
    )
    assert all(p.dtype == torch.float32 for p in mixed.net_.module_.parameters())
    assert not np.array_equal(mixed.predict_proba(X), full.predict_proba(X))
    assert mixed.score(X, y) > full.score(X, y) - 0.03
    again = clone(mixed).fit(X, y)
    np.testing.assert_allclose(again.predict_proba(X), mixed.predict_proba(X), atol=0.02)
