"""Reproducibility, random generators and threads."""

from __future__ import annotations

import pickle
from functools import partial

import joblib
import numpy as np
import pytest
import torch
from sklearn.model_selection import cross_val_predict
from skorch.callbacks import Callback

from ecgclf.training import torch_threads
from tests.networks import small_cnn

#: A network that uses all sources of randomness.
model = partial(
    small_cnn, filters=(8, 16), conv_dropout=0.1, pool_dropout=0.1, dense=(16,),
    dense_dropout=0.2, random_state=3, early_stopping=True,
)  # fmt: skip


class CountThreads(Callback):
    """Fail if torch may use more than one thread."""

    def on_batch_begin(self, net, **kwargs):
        assert torch.get_num_threads() == 1


@pytest.fixture(scope="module")
def serial(beats):
    return cross_val_predict(model(), beats.data, beats.target, method="predict_proba", cv=3)


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_serial_and_parallel_are_equal_to_the_last_bit(beats, serial, backend):
    with joblib.parallel_config(backend, n_jobs=2):
        parallel = cross_val_predict(
            model(callbacks=[CountThreads()]),
            beats.data,
            beats.target,
            method="predict_proba",
            cv=3,
            n_jobs=2,
        )
    np.testing.assert_array_equal(parallel, serial)


def test_the_threads_of_the_process_do_not_matter(beats, serial):
    torch.set_num_threads(2)
    again = cross_val_predict(model(), beats.data, beats.target, method="predict_proba", cv=3)
    np.testing.assert_array_equal(again, serial)
    assert torch.get_num_threads() == 2


def test_global_generators_are_not_changed(beats):
    np.random.seed(5)  # noqa: NPY002
    torch.manual_seed(5)
    before = np.random.get_state()[1].copy(), torch.get_rng_state()  # noqa: NPY002
    for seed in (0, None, np.random.RandomState(0)):
        model(random_state=seed).fit(beats.data, beats.target).predict(beats.data)
    np.testing.assert_array_equal(np.random.get_state()[1], before[0])  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), before[1])


def test_global_generators_do_not_matter(beats):
    first = model().fit(beats.data, beats.target).predict_proba(beats.data)
    torch.manual_seed(99)
    second = model().fit(beats.data, beats.target).predict_proba(beats.data)
    np.testing.assert_array_equal(first, second)


def test_another_seed_gives_another_model(beats):
    probabilities = [
        model(random_state=seed).fit(beats.data, beats.target).predict_proba(beats.data)
        for seed in (0, 1, None, None)
    ]
    for i in range(4):
        for j in range(i):
            assert np.abs(probabilities[i] - probabilities[j]).max() > 1e-4


def test_a_random_state_object_is_drawn_from(beats):
    shared = np.random.RandomState(0)
    first, second = (
        model(random_state=shared).fit(beats.data, beats.target).net_.seed for _ in range(2)
    )
    assert first != second
    again = model(random_state=np.random.RandomState(0)).fit(beats.data, beats.target)
    assert again.net_.seed == first


def test_continued_training_after_pickling(beats):
    streamed = model(early_stopping=False)
    streamed.partial_fit(beats.data, beats.target, classes=list("FNQSV"))
    restored = pickle.loads(pickle.dumps(streamed))
    for one in (streamed, restored):
        one.partial_fit(beats.data, beats.target)
    np.testing.assert_array_equal(
        streamed.predict_proba(beats.data), restored.predict_proba(beats.data)
    )


def test_predictions_do_not_depend_on_the_other_beats(beats):
    fitted = model().fit(beats.data, beats.target)
    expected = fitted.decision_function(beats.data)
    for n in (1, 2, 7, 33, 399):
        np.testing.assert_array_equal(fitted.decision_function(beats.data[:n]), expected[:n])


@pytest.mark.parametrize(("n_jobs", "expected"), [(None, 1), (1, 1), (3, 3)])
def test_threads_inside_and_after(n_jobs, expected):
    torch.set_num_threads(2)
    with torch_threads(n_jobs):
        assert torch.get_num_threads() == expected
    assert torch.get_num_threads() == 2


def test_all_cores():
    with torch_threads(-1):
        assert torch.get_num_threads() == joblib.cpu_count()
