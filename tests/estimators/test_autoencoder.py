"""Tests of ECGAutoencoder."""

from __future__ import annotations

import copy
import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks
from skorch.callbacks import Callback

from ecgclf.datasets import load_mitbih, make_beats
from ecgclf.estimators._autoencoder import ECGAutoencoder
from ecgclf.estimators._transfer import ECGTransferClassifier

KINDS = ("dense", "conv", "recurrent")
every_kind = pytest.mark.parametrize("kind", KINDS)


def small(**params) -> ECGAutoencoder:
    defaults = {"kind": "dense", "n_codes": 4, "max_epochs": 3, "batch_size": 64}
    return ECGAutoencoder(**{**defaults, "verbose": 0, "random_state": 0, **params})


def error_of_pca(train: np.ndarray, test: np.ndarray, n_components: int) -> np.ndarray:
    pca = PCA(n_components).fit(train)
    return np.mean((test - pca.inverse_transform(pca.transform(test))) ** 2, axis=1)


@parametrize_with_checks(
    [
        ECGAutoencoder(max_epochs=2, verbose=0),
        ECGAutoencoder(kind="dense", max_epochs=2, verbose=0),
        ECGAutoencoder(kind="recurrent", max_epochs=2, verbose=0),
    ]
)
def test_scikit_learn_finds_nothing_wrong(estimator, check):
    check(estimator)


# --- results ---------------------------------------------------------------------------------


def test_the_linear_one_approaches_the_principal_components(rng):
    X = rng.normal(size=(200, 4)) @ rng.normal(size=(4, 30)) + 0.3 * rng.normal(size=(200, 30))
    X = X.astype(np.float32)
    best = error_of_pca(X, X, 3).mean()
    model = small(dense=(), n_codes=3, max_epochs=300, batch_size=50).fit(X)
    assert best <= -model.score_samples(X).mean() < 1.01 * best


@every_kind
def test_detects_abnormal_beats_after_training_on_normal_ones(kind):
    train = make_beats(n_beats=1000, n_patients=10, random_state=0)
    test = make_beats(n_beats=500, n_patients=10, random_state=1)
    normal, abnormal = train.data[train.target == "N"], test.target != "N"
    model = small(kind=kind, n_codes=16, max_epochs=10).fit(normal)
    auroc = roc_auc_score(abnormal, -model.score_samples(test.data))
    assert auroc > 0.8
    # Principal components reach 0.76.
    assert auroc > roc_auc_score(abnormal, error_of_pca(normal, test.data, 16)) + 0.03


def test_detects_abnormal_beats_of_other_patients(mitdb_dir):
    params = {"fs": 125, "leads": "MLII", "rhythm": False}
    train = load_mitbih(mitdb_dir, records=["101", "106", "115", "122"], **params)
    test = load_mitbih(mitdb_dir, records=["105", "119", "200", "213"], **params)
    normal = train.data[train.target == "N"][::4]
    some = slice(None, None, 4)
    model = ECGAutoencoder(max_epochs=15, batch_size=64, random_state=0, verbose=0).fit(normal)
    auroc = roc_auc_score(test.target[some] != "N", -model.score_samples(test.data[some]))
    assert auroc > 0.92


@every_kind
def test_overfits_four_beats(kind, rng):
    X = rng.normal(size=(4, 60)).astype(np.float32)
    model = small(kind=kind, max_epochs=300, n_codes=8).fit(X)
    assert -model.score_samples(X).mean() < 0.02 * X.var()


@pytest.mark.parametrize(("factor", "offset"), [(1e-6, 0.0), (1000.0, 0.0), (0.1, 0.5)])
def test_the_unit_of_the_beats_does_not_matter(beats, factor, offset):
    """Volts, microvolts, and beats scaled to [0, 1]."""
    other = (beats.data * factor + offset).astype(np.float32)
    model = small(kind="conv").fit(beats.data)
    scaled = small(kind="conv").fit(other)
    np.testing.assert_allclose(
        scaled.history_["train_loss"], model.history_["train_loss"], rtol=0.01
    )
    np.testing.assert_allclose(
        scaled.score_samples(other) / factor**2, model.score_samples(beats.data), rtol=0.1
    )


@every_kind
def test_one_step_changes_every_parameter(kind, beats):
    model = small(kind=kind, max_epochs=1, batch_size=1000, lr_schedule="constant")
    untrained = clone(model).set_params(lr=1e-30).fit(beats.data)
    before = dict(untrained.net_.module_.named_parameters())
    for name, after in model.fit(beats.data).net_.module_.named_parameters():
        assert not torch.equal(before[name], after), name


def test_recorded_loss_is_the_unexplained_fraction_of_the_variance(beats, rng):
    """With a learning rate near 0, the first loss is that of the untrained network."""
    X, weight = beats.data.astype(np.float64), rng.uniform(0.5, 2.0, size=len(beats.data))
    model = small(max_epochs=1, lr=1e-30, lr_schedule="constant", batch_size=1000)
    model.fit(X, sample_weight=weight)
    errors = np.average((X - model.reconstruct(X)) ** 2, axis=0, weights=weight)
    deviations = (X - np.average(X, axis=0, weights=weight)) ** 2
    share = errors.mean() / np.average(deviations, axis=0, weights=weight).mean()
    assert model.history_["train_loss"].item() == pytest.approx(share, rel=1e-4)


# --- scores ----------------------------------------------------------------------------------


@every_kind
def test_scores_by_numpy(kind, beats):
    model = small(kind=kind).fit(beats.data)
    reconstructed = model.reconstruct(beats.data)
    expected = -np.mean((beats.data.astype(np.float64) - reconstructed) ** 2, axis=1)
    np.testing.assert_allclose(model.score_samples(beats.data), expected, rtol=1e-5)
    np.testing.assert_array_equal(
        model.decision_function(beats.data), model.score_samples(beats.data) - model.offset_
    )
    np.testing.assert_array_equal(
        model.predict(beats.data), np.where(model.decision_function(beats.data) >= 0, 1, -1)
    )
    np.testing.assert_array_equal(model.fit_predict(beats.data), model.predict(beats.data))


@pytest.mark.parametrize("contamination", [0.0025, 0.01, 0.07, 0.1, 0.29, 0.5])
def test_contamination_is_the_share_of_outliers(beats, contamination):
    model = small(contamination=contamination).fit(beats.data)
    assert (model.predict(beats.data) == -1).sum() == round(contamination * 400)


def test_contamination_counts_weights(beats, rng):
    weight = rng.uniform(0, 2, 400) * (rng.random(400) > 0.3)
    model = small(contamination=0.2).fit(beats.data, sample_weight=weight)
    share = weight[model.predict(beats.data) == -1].sum() / weight.sum()
    assert 0.2 - weight.max() / weight.sum() < share <= 0.2


def test_a_single_training_beat_is_no_outlier(beats):
    assert small().fit(beats.data[:1]).predict(beats.data[:1]) == [1]


@every_kind
def test_scores_do_not_depend_on_the_other_beats(kind, beats):
    fitted = small(kind=kind).fit(beats.data)
    codes, scores = fitted.transform(beats.data), fitted.score_samples(beats.data)
    for n in (1, 2, 7, 33, 399):
        np.testing.assert_array_equal(fitted.transform(beats.data[:n]), codes[:n])
        np.testing.assert_array_equal(fitted.score_samples(beats.data[:n]), scores[:n])
        np.testing.assert_array_equal(
            fitted.inverse_transform(codes[:n]), fitted.reconstruct(beats.data[:n])
        )


# --- shapes ----------------------------------------------------------------------------------


@every_kind
def test_two_leads_in_three_or_two_dimensions(kind, two_leads):
    X = two_leads.data
    rows = X.reshape(len(X), -1)
    in_3d, flat = small(kind=kind).fit(X), small(kind=kind, n_leads=2).fit(rows)
    for model in (in_3d, flat):
        np.testing.assert_array_equal(model.transform(X), in_3d.transform(rows))
        assert model.reconstruct(X).shape == X.shape
        assert model.reconstruct(rows).shape == rows.shape
        np.testing.assert_array_equal(model.reconstruct(X).reshape(rows.shape),
                                      model.reconstruct(rows))  # fmt: skip
    codes = in_3d.transform(X)
    np.testing.assert_array_equal(in_3d.inverse_transform(codes), in_3d.reconstruct(X))
    np.testing.assert_array_equal(flat.inverse_transform(codes), in_3d.reconstruct(rows))


@every_kind
@pytest.mark.parametrize(("n_leads", "n_samples"), [(1, 1), (1, 3), (12, 30), (2, 5000)])
def test_beats_of_any_size(kind, rng, n_leads, n_samples):
    X = rng.normal(size=(5, n_leads, n_samples)).astype(np.float32)
    model = small(kind=kind, max_epochs=1).fit(X)
    assert model.transform(X).shape == (5, 4)
    assert model.inverse_transform(model.transform(X)).shape == X.shape


@every_kind
def test_per_beat_features_are_encoded_and_reconstructed(kind, rng):
    X = np.hstack([rng.normal(size=(100, 40)), rng.normal(scale=5, size=(100, 1))])
    model = small(kind=kind, n_tabular=1, max_epochs=60, n_codes=2, batch_size=25).fit(X)
    assert model.n_samples_ == 40
    assert np.corrcoef(model.reconstruct(X)[:, 40], X[:, 40])[0, 1] > 0.9


# --- training --------------------------------------------------------------------------------


def test_a_weight_of_two_equals_two_copies(beats, rng):
    times, X = rng.integers(0, 4, size=60), beats.data[:60]
    weighted = small(batch_size=1000, kind="conv").fit(X, sample_weight=times)
    repeated = small(batch_size=1000, kind="conv").fit(X.repeat(times, axis=0))
    np.testing.assert_array_equal(weighted.transform(X), repeated.transform(X))
    assert weighted.offset_ == repeated.offset_


def test_beats_of_weight_zero_are_ignored(beats):
    used = np.arange(len(beats.data)) % 3 > 0
    with_zeros = small().fit(beats.data, sample_weight=used.astype(float))
    without = small().fit(beats.data[used])
    np.testing.assert_array_equal(with_zeros.transform(beats.data), without.transform(beats.data))
    assert with_zeros.offset_ == without.offset_


class Watch(Callback):
    """Record the training and validation rows."""

    def on_epoch_begin(self, net, dataset_train=None, dataset_valid=None, **kwargs):
        self.train, self.valid = dataset_train, dataset_valid


def test_early_stopping_holds_out_whole_patients(beats):
    model = small(early_stopping=True, validation_fraction=0.3, callbacks=[Watch()])
    model.fit(beats.data, groups=beats.groups)
    assert list(model.history_) == ["epoch", "train_loss", "valid_loss", "lr", "time"]
    watch = next(cb for _, cb in model.net_.callbacks_ if isinstance(cb, Watch))
    patient = {signal.tobytes(): g for signal, g in zip(beats.data, beats.groups)}
    train, valid = ({patient[x.tobytes()] for x in rows.X} for rows in (watch.train, watch.valid))
    assert not train & valid
    assert train | valid == set(beats.groups)
    assert len(valid) == 3


def test_early_stopping_restores_the_best_weights(beats):
    model = small(early_stopping=True, n_iter_no_change=1, max_epochs=50, lr=1e-30).fit(
        beats.data
    )
    assert model.n_iter_ < 50
    split = small(
        early_stopping=True, max_epochs=12, lr_schedule="constant", lr=0.05, batch_size=16
    )
    split.fit(beats.data)
    best = int(split.history_["valid_loss"].argmin()) + 1
    assert best < 12
    again = clone(split).set_params(max_epochs=best).fit(beats.data)
    np.testing.assert_array_equal(split.transform(beats.data), again.transform(beats.data))


def test_warm_start_continues_training(beats):
    model = small(warm_start=True).fit(beats.data)
    mean = model.net_.module_.standardize.mean.clone()
    first = model.history_["train_loss"].tolist()
    model.fit(beats.data[:200])
    assert model.n_iter_ == 6
    assert model.history_["train_loss"].tolist()[:3] == first
    assert torch.equal(model.net_.module_.standardize.mean, mean)


def test_labels_are_ignored(beats):
    expected = small().fit(beats.data).transform(beats.data)
    np.testing.assert_array_equal(
        small().fit(beats.data, beats.target).transform(beats.data), expected
    )
    np.testing.assert_array_equal(small().fit_transform(beats.data, beats.target), expected)


def test_two_threads_do_not_disturb_each_other(beats):
    def codes(kind: str) -> np.ndarray:
        return small(kind=kind).fit(beats.data).transform(beats.data)

    with joblib.parallel_config("threading", n_jobs=2):
        parallel = joblib.Parallel()(joblib.delayed(codes)(kind) for kind in KINDS)
    for kind, found in zip(KINDS, parallel):
        np.testing.assert_array_equal(found, codes(kind))


@every_kind
def test_pickle_and_clone(kind, beats, tmp_path):
    fitted = small(kind=kind).fit(beats.data)
    joblib.dump(fitted, tmp_path / "model.joblib")
    for again in (pickle.loads(pickle.dumps(fitted)), joblib.load(tmp_path / "model.joblib")):
        np.testing.assert_array_equal(again.predict(beats.data), fitted.predict(beats.data))
        np.testing.assert_array_equal(again.transform(beats.data), fitted.transform(beats.data))
    assert not hasattr(clone(fitted), "net_")


# --- composition -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "classifier", [LogisticRegression(max_iter=500), RandomForestClassifier(30, random_state=0)]
)
def test_codes_as_features_of_a_classifier(beats, classifier):
    pipeline = make_pipeline(small(n_codes=8, max_epochs=30), classifier)
    pipeline.fit(beats.data[:300], beats.target[:300])
    most_frequent = (beats.target[300:] == "N").mean()
    assert pipeline.score(beats.data[300:], beats.target[300:]) > most_frequent + 0.1


def test_a_grid_over_the_size_of_the_code(beats):
    pipeline = make_pipeline(small(max_epochs=5), LogisticRegression(max_iter=500))
    search = GridSearchCV(pipeline, {"ecgautoencoder__n_codes": [1, 12]}, cv=2)
    search.fit(beats.data, beats.target)
    assert search.best_params_ == {"ecgautoencoder__n_codes": 12}


def test_codes_in_a_frame(beats):
    model = small().set_output(transform="pandas").fit(beats.data)
    frame = model.transform(beats.data)
    assert isinstance(frame, pd.DataFrame)
    assert list(frame) == [f"ecgautoencoder{i}" for i in range(4)]
    assert list(model.get_feature_names_out()) == list(frame)
    np.testing.assert_array_equal(model.inverse_transform(frame), model.reconstruct(beats.data))


@every_kind
def test_transfer_of_the_encoder(kind, beats):
    source = small(kind=kind, max_epochs=10).fit(beats.data)
    before = copy.deepcopy(source.net_.module_.state_dict())
    model = ECGTransferClassifier(
        source=source, dense=(32,), max_epochs=20, batch_size=64, verbose=0, random_state=0
    ).fit(beats.data, beats.target)
    assert model.score(beats.data, beats.target) > (beats.target == "N").mean() + 0.1
    for name, value in source.net_.module_.state_dict().items():
        assert torch.equal(value, before[name]), name


# --- errors ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "match"),
    [
        ({"kind": "conv", "filters": ()}, "'filters' parameter"),
        ({"kind": "recurrent", "units": []}, "'units' parameter"),
        ({"kind": "lstm"}, "'kind' parameter"),
        ({"dense": (8, 0)}, "'dense' parameter"),
        ({"dense": 8}, "'dense' parameter"),
        ({"n_codes": 0}, "'n_codes' parameter"),
        ({"contamination": 0.0}, "'contamination' parameter"),
        ({"contamination": 0.6}, "'contamination' parameter"),
        ({"kernel_size": 0}, "'kernel_size' parameter"),
        ({"stride": 0}, "'stride' parameter"),
        ({"step_size": 2.5}, "'step_size' parameter"),
        ({"lr": 1e20, "optimizer": "sgd", "lr_schedule": "constant"}, "Lower lr"),
    ],
)
def test_bad_parameters(beats, params, match):
    with pytest.raises(ValueError, match=match):
        small(**params).fit(beats.data)


def test_codes_of_the_wrong_length(beats):
    model = small().fit(beats.data)
    with pytest.raises(ValueError, match=r"X has 5 columns.*has 4: pass the output of transform"):
        model.inverse_transform(np.zeros((3, 5)))
    with pytest.raises(ValueError, match="contains NaN"):
        model.inverse_transform(np.full((3, 4), np.nan))


@pytest.mark.parametrize(
    "method",
    ["transform", "inverse_transform", "reconstruct", "score_samples", "decision_function",
     "predict", "get_feature_names_out"],
)  # fmt: skip
def test_not_fitted(beats, method):
    with pytest.raises(NotFittedError, match="not fitted yet"):
        getattr(small(), method)(beats.data)


def test_wrong_number_of_leads(two_leads):
    model = small().fit(two_leads.data)
    for method in (model.transform, model.reconstruct, model.score_samples):
        with pytest.raises(ValueError, match=r"has 1 leads.*expecting 2"):
            method(two_leads.data[:, :1])
