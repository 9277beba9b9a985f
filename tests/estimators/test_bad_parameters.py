"""Errors for invalid parameters, and the state of an estimator after a failed fit."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from numbers import Integral
from typing import Annotated, ClassVar, Literal

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils._param_validation import Interval, InvalidParameterError
from skorch.callbacks import Callback, GradientNormClipping

from ecgclf import ECGMLPClassifier
from tests.networks import small_cnn

few = settings(max_examples=15, deadline=None)


quick = partial(small_cnn, filters=(4, 4), stride=1, max_epochs=1, batch_norm=False)


X = np.random.default_rng(0).normal(size=(20, 40)).astype(np.float32)
y = np.array(["N", "V"] * 10)

COUNTS = ["filters", "kernel_size", "stride", "dilation", "pool_size", "pool_stride", "dense"]
SHARES = ["conv_dropout", "pool_dropout", "dense_dropout"]

no_count = st.one_of(
    st.integers(max_value=0), st.floats(), st.text(max_size=3), st.none(), st.just((3,)),
    st.booleans(),
)  # fmt: skip
no_share = st.one_of(
    st.floats(max_value=0, exclude_max=True), st.floats(min_value=1), st.just(np.nan),
    st.text(max_size=3), st.none(), st.just((0.1,)), st.booleans(),
)  # fmt: skip


@few
@given(name=st.sampled_from(COUNTS), bad=no_count, first=st.booleans())
def test_one_invalid_integer_of_a_layer(name, bad, first):
    value = (bad, 3) if first else [3, bad]
    with pytest.raises(InvalidParameterError, match=f"'{name}'.*each an int.*Got") as caught:
        quick(**{name: value}).fit(X, y)
    assert repr(value) in str(caught.value)


@few
@given(name=st.sampled_from(SHARES), bad=no_share, first=st.booleans())
def test_one_invalid_dropout_of_a_layer(name, bad, first):
    value = (bad, 0.1) if first else [0.1, bad]
    with pytest.raises(InvalidParameterError, match=f"'{name}'.*each a float.*Got") as caught:
        quick(dense=(4, 4), **{name: value}).fit(X, y)
    assert repr(value) in str(caught.value)


@few
@given(name=st.sampled_from([*COUNTS, *SHARES]), n=st.integers(0, 9).filter(lambda n: n != 2))
def test_wrong_number_of_values(name, n):
    value = (1,) * n if name in COUNTS else (0.1,) * n
    model = quick(dense=(4, 4)).set_params(**{name: value})
    if name == "dense":  # defines the number of its layers
        assert model.fit(X, y).predict(X).shape == (20,)
    elif name == "filters":
        model.set_params(stride=(1, 1))
        with pytest.raises(ValueError, match=r"filters.*non-empty|stride=\(1, 1\) has 2 values"):
            model.fit(X, y)
    else:
        with pytest.raises(ValueError, match=f"{name}=.* has {n} values for 2 layers.*for each"):
            model.fit(X, y)


@pytest.mark.parametrize("name", [*COUNTS, *SHARES])
@pytest.mark.parametrize("value", [{1: 2, 3: 4}, {1, 2}, "35", pd.Series([1, 2]), np.eye(2)])
def test_not_a_sequence(name, value):
    with pytest.raises(InvalidParameterError, match=f"'{name}'.*must be"):
        quick(dense=(4, 4)).set_params(**{name: value}).fit(X, y)


@pytest.mark.parametrize("kind", [tuple, list, np.array])
def test_sequence_types(kind):
    model = quick(kernel_size=kind([3, 5]), conv_dropout=kind([0, 0.1]), dense=kind([4]))
    expected = quick(kernel_size=(3, 5), conv_dropout=(0, 0.1), dense=(4,))
    np.testing.assert_array_equal(
        model.fit(X, y).predict_proba(X), expected.fit(X, y).predict_proba(X)
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_epochs", 0), ("max_epochs", 1.5), ("batch_size", 0), ("batch_size", None),
        ("lr", 0), ("lr", -1.0), ("lr", np.nan), ("lr", np.inf), ("weight_decay", -1),
        ("weight_decay", np.nan), ("optimizer", "rmsprop"), ("optimizer", None),
        ("lr_schedule", "step"), ("lr_schedule", None), ("early_stopping", "yes"),
        ("validation_fraction", 0), ("validation_fraction", 1), ("validation_fraction", np.nan),
        ("n_iter_no_change", 0), ("n_leads", 0), ("n_leads", 1.5), ("n_tabular", -1),
        ("augment", "noise"), ("callbacks", "early"), ("callbacks", 1), ("warm_start", None),
        ("device", None), ("device", 0), ("n_jobs", 0), ("n_jobs", 0.5), ("random_state", -1),
        ("random_state", "seed"), ("verbose", -1), ("loss", "mse"), ("focal_gamma", -0.5),
        ("focal_gamma", np.inf), ("class_weight", "auto"), ("class_weight", [1, 2]),
        ("padding", "full"), ("batch_norm", 1), ("global_pool", "mean"), ("filters", ()),
        ("filters", 8), ("kernel_size", 0), ("stride", 1.5), ("dilation", "2"),
        ("pool_size", None), ("pool_stride", -1), ("conv_dropout", 1.0), ("pool_dropout", -0.1),
        ("dense", 64), ("dense_dropout", 1),
        ("label_smoothing", 1), ("label_smoothing", -0.1), ("label_smoothing", None),
        ("max_grad_norm", 0), ("max_grad_norm", -1.0), ("max_grad_norm", "inf"),
        ("amp", "yes"), ("amp", 2), ("class_weight", "effective"), ("class_weight", 3.0),
    ],
)  # fmt: skip
def test_value_out_of_range(name, value):
    model = quick().set_params(**{name: value})
    match = f"'{name}' parameter of ECGCNNClassifier must be .* Got "
    with pytest.raises(InvalidParameterError, match=match) as caught:
        model.fit(X, y)
    assert repr(value) in str(caught.value)
    with pytest.raises(InvalidParameterError, match=match):
        model.partial_fit(X, y, classes=["N", "V"])


@pytest.mark.parametrize(
    ("params", "error", "match"),
    [
        ({"optimizer": dict}, TypeError, "class 'dict'.*not a subclass of torch.optim.Optimizer"),
        ({"callbacks": ["clip"]}, TypeError, "callbacks contains 'clip', expected skorch"),
        ({"callbacks": [("clip", 1)]}, TypeError, r"callbacks contains \('clip', 1\)"),
        ({"callbacks": [("a", GradientNormClipping())] * 2}, ValueError, "duplicate.*'a'"),
        ({"class_weight": {"N": -1}}, ValueError, "class_weight=.*0 or more, got -1"),
        ({"class_weight": {"N": np.nan}}, ValueError, "class_weight=.*0 or more, got nan"),
        ({"class_weight": {"N": "a"}}, ValueError, "class_weight=.*0 or more, got 'a'"),
        ({"class_weight": {"n": 2}}, ValueError, r"\['N', 'V'\] are not in class_weight"),
        ({"class_weight": {"N": 0, "V": 0}}, ValueError, "class_weight=.*every beat the weig"),
        ({"device": "tpu"}, ValueError, "device='tpu' is not a device.*'auto'"),
    ],
)  # fmt: skip
def test_errors_that_depend_on_the_data(params, error, match):
    with pytest.raises(error, match=match):
        quick(**params).fit(X, y)
    with pytest.raises(error, match=match):
        quick(**params).partial_fit(X, y, classes=["N", "V"])


def test_a_class_of_weight_0_does_not_count_as_a_class():
    with pytest.raises(ValueError, match=r"one class.*positive weight, \['V'\]"):
        quick(class_weight={"N": 0}).fit(X, y)


def test_class_weights_name_a_class_that_does_not_occur():
    """It may be a typing error, or a fold without this class."""
    with pytest.warns(UserWarning, match=r"names \['Q'\], which no beat has.*\['N'\].*weigh 1"):
        model = quick(class_weight={"V": 3.0, "Q": 5.0}).fit(X, y)
    expected = quick(class_weight={"V": 3.0, "N": 1.0}).fit(X, y)
    np.testing.assert_array_equal(model.predict_proba(X), expected.predict_proba(X))


class Flat(ECGMLPClassifier):
    """Network with parameters of its own."""

    units: Annotated[int, Interval(Integral, 1, None, closed="left")] = 8
    mode: Literal["a", "b"] | None = None
    centre: bool = True
    scale: float = 1.0
    lr: float = 0.1  # only another default
    shift: int = 0

    _parameter_constraints: ClassVar[dict] = {"shift": [Interval(Integral, 0, 9, closed="both")]}


@pytest.mark.parametrize(
    ("name", "value"),
    [("units", 0), ("mode", "c"), ("centre", 3), ("lr", 0.0), ("shift", 10), ("dense", 4)],
)
def test_constraints_of_a_subclass_come_from_its_type_hints(name, value):
    params = {"max_epochs": 1, "verbose": 0, "mode": "b", "scale": None}  # scale: not constrained
    Flat(**params).fit(X, y)
    with pytest.raises(InvalidParameterError, match=f"'{name}' parameter of Flat must be"):
        Flat(**{**params, name: value}).fit(X, y)


def test_only_a_hint_that_cannot_be_evaluated_gives_no_constraint():
    class Local(ECGMLPClassifier):
        kind: OnlyForTypeCheckers = "a"  # noqa: F821
        flag: bool = True

    Local(kind=3, max_epochs=1, verbose=0).fit(X, y)
    for name, value in {"flag": 3, "lr": 0.0}.items():
        with pytest.raises(InvalidParameterError, match=f"'{name}' parameter of Local"):
            Local(**{name: value}).fit(X, y)


def test_a_mistake_in_a_hint_is_an_error():
    with pytest.raises(AttributeError, match="flaot64"):

        class Local(ECGMLPClassifier):
            scale: np.flaot64 = 1.0


def test_a_subclass_may_be_decorated_as_a_dataclass():
    @dataclass(kw_only=True, eq=False, repr=False)
    class Decorated(ECGMLPClassifier):
        flag: bool = True

    with pytest.raises(InvalidParameterError, match="'flag' parameter of Decorated"):
        Decorated(flag=3).fit(X, y)


@pytest.mark.parametrize(
    ("augment", "match"),
    [
        (lambda batch, generator: None, r"returned NoneType, expected a Tensor.*\(20, 1, 40\)"),
        (
            lambda batch, generator: batch.repeat(1, 1, 2),
            r"returned \(20, 1, 80\), .*\(20, 1, 40\)",
        ),
        (lambda batch, generator: batch[:3], r"returned \(3, 1, 40\), expected.*\(20, 1, 40\)"),
        (lambda batch, generator: batch.numpy(), "returned ndarray, expected a Tensor"),
    ],
)
def test_an_augmentation_returns_the_wrong_type_or_shape(augment, match):
    with pytest.raises(ValueError, match=match):
        quick(augment=augment).fit(X, y)


@pytest.mark.parametrize("optimizer", [torch.optim.Adagrad, torch.optim.Adadelta])
def test_an_optimizer_without_momentum_takes_the_default_schedule(optimizer):
    rates = quick(optimizer=optimizer, max_epochs=3, lr=0.1).fit(X, y).history_["lr"]
    assert rates.iloc[-1] < 1e-4
    assert rates.max() <= 0.1


# --- after a failed fit ----------------------------------------------------------------------


class Fail(Callback):
    """Fail after the first batch."""

    def on_batch_end(self, net, **kwargs):
        raise RuntimeError("no more")


FAILURES = {
    "labels": lambda model: model.fit(X[:, :30], y[:5]),
    "one class": lambda model: model.fit(X[:, :30], ["N"] * 20),
    "parameter": lambda model: model.set_params(filters=(0,)).fit(X[:, :30], y),
    "device": lambda model: model.set_params(device="tpu").fit(X[:, :30], y == "N"),
    "too short": lambda model: model.set_params(padding="valid").fit(X[:, :3], y),
    "divergence": lambda model: model.set_params(lr=1e30, max_epochs=3).fit(1e30 * X, y == "N"),
    "callback": lambda model: model.set_params(callbacks=[Fail()]).fit(X[:, :30], y == "N"),
}  # fmt: skip


@pytest.mark.parametrize("failure", FAILURES)
def test_a_failed_fit_does_not_change_a_fitted_model(failure):
    model = quick().fit(X, y)
    expected = model.predict_proba(X)
    with pytest.raises((ValueError, RuntimeError)):
        FAILURES[failure](model)
    np.testing.assert_array_equal(model.predict_proba(X), expected)
    assert model.classes_.tolist() == ["N", "V"]
    assert (model.n_features_in_, model.n_samples_, model.n_iter_) == (40, 40, 1)
    # The estimator can be fitted again.
    model.set_params(**clone(quick()).get_params()).fit(X, y)
    np.testing.assert_array_equal(model.predict_proba(X), expected)


@pytest.mark.parametrize("failure", FAILURES)
def test_a_failed_first_fit_leaves_the_model_unfitted(failure):
    model = quick()
    with pytest.raises((ValueError, RuntimeError)):
        FAILURES[failure](model)
    with pytest.raises(NotFittedError):
        model.predict(X)
    assert not [name for name in vars(model) if name.endswith("_")]


def test_partial_fit_after_a_failed_first_call():
    model = quick()
    with pytest.raises(ValueError, match="not among the classes"):
        model.partial_fit(X[:, :30], y, classes=["N", "S"])
    model.partial_fit(X, y, classes=["N", "V"])
    assert model.n_features_in_ == 40
