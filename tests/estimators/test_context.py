"""Classifier of beats in the context of their recording."""

from __future__ import annotations

import pickle
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import StackingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from skorch.callbacks import Callback

import ecgclf
from ecgclf import ECGCNNClassifier, ECGContextClassifier, ECGTransferClassifier
from ecgclf.augmentation import AtrialFibrillation, Compose, PrematureBeats, StretchNoise
from ecgclf.evaluation import integrated_gradients
from ecgclf.export import ExportError, export_onnx
from ecgclf.persistence import PersistenceError
from ecgclf.transforms import BandpassFilter
from tests.networks import QUICK

#: A small network; the first two columns of an array are the record and the position.
small = partial(
    ECGContextClassifier, filters=(8, 8), kernel_size=5, stride=2, width=8, units=8, context=16,
    record=0, sample=1, **QUICK,
)  # fmt: skip

by_name = partial(small, record="record", sample="sample")


@pytest.fixture(scope="module")
def frame(beats) -> pd.DataFrame:
    """Beats with their record, a string, and their position."""
    return beats.frame.drop(columns=["target", *beats.rhythm_names])


@pytest.fixture(scope="module")
def array(frame) -> np.ndarray:
    return frame.assign(record=pd.factorize(frame["record"])[0]).to_numpy(float)


@pytest.fixture(scope="module")
def fitted(frame, beats) -> ECGContextClassifier:
    return by_name().fit(frame, beats.target)


def rhythms(
    n_records: int = 12, n_beats: int = 60, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Beats of noise, of which those that come early are labelled S."""
    rng = np.random.default_rng(seed)
    early = rng.random((n_records, n_beats)) < 0.2
    intervals = np.where(early, 0.6, 1.0) * rng.normal(1, 0.03, early.shape)
    intervals *= rng.uniform(100, 900, (n_records, 1))  # heart rate and unit
    record = np.repeat(np.arange(n_records), n_beats)
    signal = rng.normal(size=(early.size, 30))
    X = np.column_stack([record, intervals.cumsum(axis=1).ravel(), signal])
    return X, np.where(early.ravel(), "S", "N")


# --- what a prediction depends on --------------------------------------------------------------


def test_the_order_of_the_rows_does_not_matter(frame, beats, fitted, rng):
    order = rng.permutation(len(frame))
    expected = fitted.predict_proba(frame)
    np.testing.assert_array_equal(fitted.predict_proba(frame.iloc[order]), expected[order])
    again = by_name().fit(frame.iloc[order], beats.target[order])
    np.testing.assert_array_equal(again.predict_proba(frame), expected)


def test_records_are_independent_of_each_other(frame, fitted):
    expected = fitted.decision_function(frame)
    for record, rows in frame.groupby("record", sort=False).indices.items():
        alone = fitted.decision_function(frame.iloc[rows].assign(record=f"only {record}"))
        np.testing.assert_allclose(alone, expected[rows], rtol=1e-4, atol=1e-5)


def test_array_with_numbered_records_or_other_columns(frame, array, beats, fitted):
    expected = fitted.predict_proba(frame)
    np.testing.assert_array_equal(small().fit(array, beats.target).predict_proba(array), expected)
    moved = np.column_stack([array[:, 2:50], array[:, 0], array[:, 50:], array[:, 1]])
    model = small(record=48, sample=-1).fit(moved, beats.target)
    np.testing.assert_array_equal(model.predict_proba(moved), expected)
    objects = frame.to_numpy(object)
    np.testing.assert_array_equal(
        small().fit(objects, beats.target).predict_proba(objects), expected
    )


def test_without_records_a_beat_is_a_record_of_its_own(array, beats):
    alone = small(record=None, sample=None).fit(array[:, 2:], beats.target)
    array = array.copy()
    array[:, 0] = np.arange(len(array))
    single = small().fit(array, beats.target)
    expected = alone.predict_proba(array[:, 2:])
    np.testing.assert_allclose(single.predict_proba(array), expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(
        alone.predict_proba(array[:7, 2:]), expected[:7], rtol=1e-4, atol=1e-5
    )


def test_amplitude_and_unit_of_time_do_not_matter(array, fitted, frame):
    expected = fitted.decision_function(frame)
    other = frame.copy()
    one = frame["record"] == frame["record"].iloc[0]
    other.loc[one, other.columns[2:]] *= 10
    other["sample"] = other["sample"] / 360 + 1000 * one
    np.testing.assert_allclose(fitted.decision_function(other), expected, rtol=1e-3, atol=1e-4)


def test_the_baseline_of_each_beat_does_not_matter(fitted, frame, rng):
    moved = frame.copy()
    moved.iloc[:, 2:] += rng.integers(-4, 5, size=(len(frame), 1)) / 2
    np.testing.assert_allclose(
        fitted.predict_proba(moved), fitted.predict_proba(frame), atol=1e-3
    )


def test_positions_beyond_single_precision(fitted, frame):
    late = frame.assign(sample=frame["sample"].astype(float) + 2**40)
    np.testing.assert_array_equal(fitted.predict_proba(late), fitted.predict_proba(frame))


def test_the_order_of_the_leads_does_not_matter(two_leads):
    record = pd.factorize(two_leads.record)[0]
    first, second = (
        np.column_stack([record, two_leads.sample, data.reshape(len(data), -1)])
        for data in (two_leads.data, two_leads.data[:, ::-1])
    )
    model = small(n_leads=2).fit(first, two_leads.target)
    assert (model.n_leads_, model.n_samples_) == two_leads.data.shape[1:]
    expected = model.decision_function(first)
    np.testing.assert_allclose(model.decision_function(second), expected, rtol=1e-4, atol=1e-5)
    # The prediction is the mean of those of each lead.
    n = 2 + model.n_samples_
    single = clone(model).set_params(n_leads=1)
    single.__dict__.update({**vars(model), "n_leads": 1, "n_leads_": 1, "n_features_in_": n})
    single.net_ = pickle.loads(pickle.dumps(model.net_))
    single.net_.n_leads = 1
    mean = (single.decision_function(first[:, :n]) + single.decision_function(second[:, :n])) / 2
    np.testing.assert_allclose(mean, expected, rtol=1e-4, atol=1e-5)


def test_neighbours_and_intervals_matter(fitted, frame):
    one = frame[frame["record"] == frame["record"].iloc[0]]
    expected = fitted.decision_function(one)
    early, other = one.copy(), one.copy()
    early.iloc[30, 1] -= (early.iloc[30, 1] - early.iloc[29, 1]) // 3
    other.iloc[30, 2:] = -other.iloc[30, 2:]
    for changed in (early, other):
        changes = np.abs(fitted.decision_function(changed) - expected).max(axis=1)
        assert (changes[29:32] > 1e-4).all()


def test_time_and_memory_are_linear(fitted, frame, monkeypatch):
    module, counts = type(fitted.net_.module_), []
    forward = module.forward
    monkeypatch.setattr(
        module, "forward", lambda self, x: counts.append(tuple(x.shape)) or forward(self, x)
    )
    one = frame.iloc[:5]
    for n in (200, 2000, 20000):
        counts.clear()
        long = pd.concat([one] * (n // 5)).assign(record="a", sample=np.arange(n) * 300)
        assert fitted.predict(long).shape == (n,)
        n_read = sum(stretches * beats for stretches, beats, _ in counts)
        assert n <= n_read <= 2 * n
        assert max(stretches * beats for stretches, beats, _ in counts) <= 3072
        assert all(beats == 16 for _, beats, _ in counts)


# --- training ----------------------------------------------------------------------------------


def test_learns_rhythm_that_a_single_beat_does_not_have():
    (X, y), (X_new, y_new) = rhythms(seed=0), rhythms(seed=1)
    model = small(max_epochs=30, lr=1e-2, batch_size=160).fit(X, y)
    assert model.score(X_new, y_new) > 0.97
    alone = small(max_epochs=30, lr=1e-2, record=None, sample=None).fit(X[:, 2:], y)
    assert alone.score(X_new[:, 2:], y_new) < 0.85


def test_learns_what_differs_from_the_usual_beat_of_the_record(rng):
    usual = rng.normal(size=(30, 1, 20))
    odd = rng.random((30, 40)) < 0.2
    signal = np.where(odd[:, :, None], rng.normal(size=(30, 40, 20)), usual)
    signal = signal + rng.normal(0, 0.05, signal.shape)
    record = np.repeat(np.arange(30), 40)
    X, y = np.column_stack([record, signal.reshape(1200, 20)]), odd.ravel()
    known = record < 20
    model = small(sample=None, max_epochs=30, lr=1e-2, batch_size=160).fit(X[known], y[known])
    assert model.score(X[~known], y[~known]) > 0.95


def test_beats_without_weight_are_neighbours_only(array, beats, rng):
    weight = (rng.random(len(array)) < 0.7).astype(float)
    y = beats.target.copy()
    expected = small().fit(array, y, sample_weight=weight).predict_proba(array)
    y[weight == 0] = rng.choice(np.unique(y), (weight == 0).sum())
    other = small().fit(array, y, sample_weight=weight)
    np.testing.assert_array_equal(other.predict_proba(array), expected)
    used = weight > 0
    without = small().fit(array[used], y[used])
    assert np.abs(without.predict_proba(array) - expected).max() > 1e-3


def test_global_generators_are_not_changed(array, beats):
    before = torch.get_rng_state()
    np.random.seed(5)  # noqa: NPY002
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    small(random_state=None, augment_stretches=PREMATURE).fit(array, beats.target).predict(array)
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("with_groups", [False, True])
def test_early_stopping_holds_out_whole_records(array, beats, with_groups, monkeypatch):
    seen = []
    take = ecgclf.training.Rows.take
    monkeypatch.setattr(
        ecgclf.training.Rows, "take", lambda rows, at: seen.append(take(rows, at)) or seen[-1]
    )
    groups = array[:, 0] // 2 if with_groups else None
    model = small(early_stopping=True, validation_fraction=0.3, max_epochs=10)
    model.fit(array, beats.target, groups=groups)
    train, valid = (set(rows.record // (2 if with_groups else 1)) for rows in seen[-2:])
    assert train
    assert valid
    assert not train & valid
    held_out = np.isin(array[:, 0], seen[-1].record)
    accuracy = model.score(array[held_out], beats.target[held_out])
    best = model.history_.loc[model.history_["valid_loss"].idxmin()]
    assert abs(best["valid_score"] - accuracy) < 0.05


class Interrupt(Callback):
    """Raise an error after the second epoch."""

    def on_epoch_end(self, net, **kwargs):
        if len(net.history) == 2:
            raise RuntimeError


def test_an_interrupted_fit_resumes(array, beats, tmp_path):
    model = small(max_epochs=4, augment_stretches=PREMATURE)
    expected = clone(model).fit(array, beats.target).predict_proba(array)
    model.set_params(checkpoint=tmp_path / "fit")
    with pytest.raises(RuntimeError):
        clone(model).set_params(callbacks=[Interrupt()]).fit(array, beats.target)
    moved = array.copy()
    moved[5, 1] += 1
    with pytest.raises(PersistenceError, match="the beats"):
        clone(model).fit(moved, beats.target)
    resumed = clone(model).fit(array, beats.target)
    np.testing.assert_array_equal(resumed.predict_proba(array), expected)


def test_warm_start_and_partial_fit(array, beats):
    model = small(warm_start=True).fit(array, beats.target)
    before = model.predict_proba(array)
    model.set_params(context=5, batch_size=20).fit(array, beats.target)
    assert model.n_iter_ == 4
    assert np.abs(model.predict_proba(array) - before).max() > 1e-3
    model.partial_fit(array, beats.target)
    assert model.n_iter_ == 5


@pytest.mark.skipif(
    not torch.cuda.is_available(), reason="needs a CUDA device: torch sees none here"
)
@pytest.mark.parametrize("amp", [False, True])
def test_a_gpu_learns_the_same_rhythm(amp):
    (X, y), (X_new, y_new) = rhythms(seed=0), rhythms(seed=1)
    model = small(max_epochs=30, lr=1e-2, batch_size=160, device="cuda", amp=amp)
    model.set_params(augment_stretches=PREMATURE).fit(X, y)
    assert model.score(X_new, y_new) > 0.95


def test_chunked_and_mapped_arrays(array, beats, tmp_path):
    zarr, dask = pytest.importorskip("zarr"), pytest.importorskip("dask.array")
    X = array.astype(np.float32)
    np.save(tmp_path / "X.npy", X)
    expected = small().fit(X, beats.target).predict_proba(X)
    for given in (
        np.load(tmp_path / "X.npy", mmap_mode="r"),
        zarr.array(X, chunks=(50, X.shape[1])),
        dask.from_array(X, chunks=(50, X.shape[1])),
    ):
        fitted = small().fit(given, beats.target)
        np.testing.assert_array_equal(fitted.predict_proba(given), expected)


# --- augmentation ------------------------------------------------------------------------------

PREMATURE = Compose(
    [PrematureBeats(fs=120, r_peak=0.25, p=0.5), AtrialFibrillation(fs=120, r_peak=0.25, p=0.5)]
)


def test_premature_beats_are_learned_from_moved_ones():
    X, y = rhythms(n_records=13)
    steady = X[:, 0] > 0  # all records but one have no premature beats
    rng = np.random.default_rng(3)
    X[steady, 1] = np.tile(np.cumsum(rng.normal(1, 0.03, 60)), 12)
    y[steady] = "N"
    model = small(max_epochs=40, lr=1e-2, batch_size=160).fit(X, y)
    augment = PrematureBeats(fs=100, r_peak=0.1, p=0.7, share=(0.1, 0.3))
    moved = clone(model).set_params(augment_stretches=augment).fit(X, y)
    X_new, y_new = rhythms(seed=1)
    assert moved.score(X_new, y_new) > max(0.95, model.score(X_new, y_new) + 0.02)


def test_moved_beats_have_the_weight_of_their_new_class(array, beats):
    seen = []

    def record(stretches, generator):
        seen.append(stretches)
        return PrematureBeats(fs=120, r_peak=0.25, p=1.0, share=(0.2, 0.3))(stretches, generator)

    y = np.where(beats.target == "S", "S", "N")
    y[:3] = "S"
    model = small(class_weight={"S": 5.0, "N": 1.0}, augment_stretches=record).fit(array, y)
    rows = ecgclf.training.Rows(array[:, 2:], (y == "S") * 1, np.where(y == "S", 5.0, 1.0))
    rows.record, rows.position = array[:, 0].astype(int), array[:, 1]
    for batch, labels in model.net_.get_iterator(rows, training=True):
        np.testing.assert_allclose(batch["weight"], np.where(labels == 1, 5.0, 1.0), rtol=1e-6)


def test_saved_with_augmentations_but_not_with_recorded_noise(array, beats, tmp_path):
    model = small(augment_stretches=PREMATURE).fit(array, beats.target)
    model.save(tmp_path / "model.ecgclf")
    loaded = ecgclf.load(tmp_path / "model.ecgclf")
    np.testing.assert_array_equal(loaded.predict_proba(array), model.predict_proba(array))
    np.testing.assert_array_equal(
        clone(loaded).fit(array, beats.target).predict_proba(array), model.predict_proba(array)
    )
    noise = StretchNoise(noise=np.random.default_rng(0).normal(size=(2, 500)))
    model.set_params(augment_stretches=noise).fit(array, beats.target)
    with pytest.raises(PersistenceError, match="augment_stretches"):
        model.save(tmp_path / "model.ecgclf")
    model.set_params(augment_stretches=None).save(tmp_path / "model.ecgclf")


# --- composition -------------------------------------------------------------------------------


def test_pipeline_that_passes_on_record_and_position(beats, frame):
    signals = [name for name in frame if name.startswith("sample_")]
    assert len(signals) == beats.data.shape[1]
    first = ColumnTransformer(
        [("filter", BandpassFilter(beats.fs, low=0.5, high=40), signals)],
        remainder="passthrough",
        verbose_feature_names_out=False,
    ).set_output(transform="pandas")
    model = make_pipeline(first, by_name()).fit(frame, beats.target)
    assert model.predict(frame).shape == beats.target.shape
    filtered = frame.copy()
    filtered[signals] = BandpassFilter(beats.fs, low=0.5, high=40).fit_transform(beats.data)
    expected = by_name().fit(filtered, beats.target).predict_proba(filtered)
    np.testing.assert_allclose(model.predict_proba(frame), expected, rtol=1e-4, atol=1e-5)


def test_cross_validation_by_patient(frame, beats):
    cv, groups = GroupKFold(2), beats.groups
    predicted = cross_val_predict(by_name(), frame, beats.target, groups=groups, cv=cv)
    assert predicted.shape == beats.target.shape
    search = GridSearchCV(
        by_name(augment_stretches=PREMATURE),
        {"context": [4, 16], "augment_stretches__0__p": [0.1]},
        cv=cv,
    ).fit(frame, beats.target, groups=groups)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_stacking_with_a_network_of_single_beats(array, beats):
    splits = list(GroupKFold(2).split(array, beats.target, beats.groups))
    single = make_pipeline(
        ColumnTransformer([("beat", "passthrough", slice(2, None))]),
        ECGCNNClassifier(filters=(8,), stride=2, **QUICK),
    )
    stack = StackingClassifier(
        [("context", small()), ("single", single)], LogisticRegression(), cv=splits
    )
    assert stack.fit(array, beats.target).predict(array).shape == beats.target.shape


def test_per_beat_features_are_used(rng):
    (X, _), y = rhythms(), rng.random(720) < 0.5
    feature = 4.0 * y - 2.0 + rng.normal(size=720)
    model = small(n_tabular=1, max_epochs=30, lr=1e-2, batch_size=160)
    model.fit(np.column_stack([X, feature])[:480], y[:480])
    assert model.n_samples_ == 30
    assert model.score(np.column_stack([X, feature])[480:], y[480:]) > 0.85


def test_features_have_the_width_of_the_last_layer(fitted, frame):
    features = fitted.features(frame)
    last = fitted.net_.module_.head[-1]
    logits = features @ last.weight.detach().numpy().T + last.bias.detach().numpy()
    np.testing.assert_allclose(logits, fitted.decision_function(frame), rtol=1e-3, atol=1e-4)


# --- errors ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"record": None}, "sample=1 needs record"),
        ({"record": 500}, "record=500 is not a column"),
        ({"sample": "sample"}, "no column 'sample'"),
        ({"context": 0}, "context"),
        ({"dropout": 1.0}, "dropout"),
        ({"augment_stretches": PrematureBeats(fs=120, r_peak=0.2, normal="normal")}, "'normal'"),
    ],
)
def test_invalid_parameters(array, beats, params, words):
    with pytest.raises(ValueError, match=words):
        small(**params).fit(array, beats.target)


def test_invalid_columns(array, beats, two_leads, frame, fitted):
    with pytest.raises(ValueError, match="Flatten the leads"):
        small().fit(two_leads.data, two_leads.target)
    missing = array.copy()
    missing[3, 0] = np.nan
    with pytest.raises(ValueError, match="first in row 3"):
        small().fit(missing, beats.target)
    missing = array.copy()
    missing[3, 1] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        small().fit(missing, beats.target)
    with pytest.raises(ValueError, match="no column 'record'"):
        fitted.predict(frame.drop(columns="record"))
    with pytest.raises(ValueError, match="feature names"):
        fitted.predict(frame.rename(columns={"sample_000": "other"}))
    with pytest.raises(ValueError, match="features"):
        small().fit(array, beats.target).predict(array[:, :-1])


def test_what_needs_single_beats_is_refused(fitted, frame, beats, tmp_path):
    with pytest.raises(ExportError, match="single beats"):
        export_onnx(fitted, tmp_path / "model.onnx")
    with pytest.raises(ValueError, match="single beats"):
        ECGTransferClassifier(source=fitted, **QUICK).fit(beats.data, beats.target)
    pytest.importorskip("captum")
    with pytest.raises(TypeError, match="occlusion"):
        integrated_gradients(fitted, frame)
