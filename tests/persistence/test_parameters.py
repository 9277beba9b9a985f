"""Saving and loading of parameters."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import ecgclf
from ecgclf import augmentation
from ecgclf._model_file import Reader, Writer
from ecgclf.augmentation import BaselineWander, Compose, GaussianNoise, TimeShift
from ecgclf.augmentation._stretches import StretchAugmentation
from ecgclf.estimators import EffectiveNumber
from ecgclf.estimators._saving import CLASSES
from ecgclf.persistence import PersistenceError
from ecgclf.training import LearningRate


def saved_and_loaded(model, path):
    model.save(path)
    return ecgclf.load(path)


def test_every_augmentation_can_be_saved():
    public = {name: getattr(augmentation, name) for name in augmentation.__all__}
    bases = (augmentation.RandomAugmentation, StretchAugmentation)
    augmentations = {
        name
        for name, thing in public.items()
        if inspect.isclass(thing) and issubclass(thing, bases) and thing not in bases
    }
    assert len(augmentations) > 5
    assert set(CLASSES.parts) == augmentations | {"Compose", "EffectiveNumber", "RandomCrop"}


def test_augmentations(quick, beats, path):
    augment = Compose(
        [TimeShift(max_shift=3), Compose([GaussianNoise(std=0.1), BaselineWander(fs=125)])]
    )
    model = quick(augment=augment).fit(beats.data, beats.target)
    loaded = saved_and_loaded(model, path)
    assert repr(loaded.augment) == repr(augment)
    assert isinstance(loaded.augment.augmentations, list)
    again = loaded.fit(beats.data, beats.target).predict_proba(beats.data)
    np.testing.assert_array_equal(again, model.predict_proba(beats.data))


@pytest.mark.parametrize(
    "class_weight", [EffectiveNumber(beta=0.9), "balanced", {"V": 2.0, "N": np.float32(0.5)}]
)
def test_class_weights(quick, beats, class_weight, path):
    model = quick(class_weight=class_weight, max_epochs=1).fit(beats.data, beats.target)
    loaded = saved_and_loaded(model, path)
    assert type(loaded.class_weight) is type(class_weight)
    assert repr(loaded.class_weight) == repr(class_weight)
    again = loaded.fit(beats.data, beats.target).predict_proba(beats.data)
    np.testing.assert_array_equal(again, model.predict_proba(beats.data))


def test_class_weights_by_number(quick, beats, path):
    y = np.searchsorted(np.unique(beats.target), beats.target)
    model = quick(class_weight={0: 1.0, 4: 2}, max_epochs=1).fit(beats.data, y)
    assert saved_and_loaded(model, path).class_weight == {0: 1.0, 4: 2}


def test_sequences_and_numbers_of_numpy(quick, beats, path):
    model = quick(
        filters=np.array([8, 8]),
        kernel_size=[3, 5],
        lr=np.float32(0.01),
        random_state=np.int64(3),
        batch_norm=np.bool_(True),
        max_epochs=1,
    ).fit(beats.data, beats.target)
    loaded = saved_and_loaded(model, path)
    assert isinstance(loaded.filters, np.ndarray)
    assert loaded.filters.dtype == np.array([8, 8]).dtype
    assert loaded.filters.tolist() == [8, 8]
    assert loaded.kernel_size == [3, 5]
    for name in ("lr", "random_state", "batch_norm"):
        ours, theirs = getattr(loaded, name), getattr(model, name)
        assert (ours, type(ours)) == (theirs, type(theirs))
    again = loaded.fit(beats.data, beats.target).predict_proba(beats.data)
    np.testing.assert_array_equal(again, model.predict_proba(beats.data))


class Louder(GaussianNoise):
    """Augmentation that is not part of ecgclf."""


@pytest.mark.parametrize(
    ("params", "name"),
    [
        ({"augment": lambda signals, generator: signals}, "augment=<function"),
        ({"augment": Louder()}, r"augment=Louder\("),
        ({"augment": Compose([TimeShift(), Louder()])}, r"augment\.augmentations\[1\]=Louder"),
        ({"callbacks": [LearningRate()]}, r"callbacks\[0\]=<.*LearningRate"),
        ({"class_weight": lambda totals: totals}, "class_weight=<function"),
        ({"optimizer": torch.optim.RAdam}, "optimizer=<class 'torch.optim.radam.RAdam'>"),
        ({"random_state": np.random.RandomState(0)}, r"random_state=RandomState"),
        ({"filters": range(8, 10)}, r"filters=range\(8, 10\)"),
        ({"lr": np.longdouble(0.01)}, r"lr=.*0\.01000"),
    ],
)
def test_parameters_that_cannot_be_saved(quick, beats, path, params, name):
    model = quick(**params, max_epochs=1).fit(beats.data, beats.target)
    parameter = next(iter(params))
    with pytest.raises(PersistenceError, match=rf"{name}.*set_params\({parameter}="):
        model.save(path)
    assert not path.exists()


def test_saving_without_these_parameters(quick, beats, path):
    model = quick(callbacks=[LearningRate()], optimizer=torch.optim.RAdam)
    model.fit(beats.data, beats.target).set_params(callbacks=None, optimizer="adamw")
    np.testing.assert_array_equal(
        saved_and_loaded(model, path).predict_proba(beats.data), model.predict_proba(beats.data)
    )


def test_a_failed_save_does_not_change_the_random_state(quick, beats, path):
    state = np.random.RandomState(0)
    model = quick(random_state=state, max_epochs=1).fit(beats.data, beats.target)
    before = state.get_state()[1:3]
    with pytest.raises(PersistenceError):
        model.save(path)
    assert str(state.get_state()[1:3]) == str(before)


plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
) | st.dictionaries(st.integers() | st.booleans(), st.floats())


@given(plain)
def test_plain_values_round_trip(value):
    assert repr(Reader({}, CLASSES).value(Writer(CLASSES).plain(value, "value"))) == repr(value)
