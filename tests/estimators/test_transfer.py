"""Tests of ECGTransferClassifier."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV

import ecgclf
from ecgclf import ECGCNNClassifier
from ecgclf.datasets import make_beats
from ecgclf.estimators._transfer import ECGTransferClassifier
from ecgclf.training import Callback

QUICK = {"max_epochs": 3, "batch_size": 64, "verbose": 0, "random_state": 0}


@pytest.fixture(scope="module")
def source(beats) -> ECGCNNClassifier:
    model = ECGCNNClassifier(filters=(8, 16), stride=2, **{**QUICK, "max_epochs": 8})
    return model.fit(beats.data, beats.target)


def transfer(source, **params) -> ECGTransferClassifier:
    return ECGTransferClassifier(**{"source": source, "dense": (16,), **QUICK, **params})


def weights(model, part: str) -> dict[str, torch.Tensor]:
    return {
        name.split(part)[-1]: value.clone()
        for name, value in model.net_.module_.state_dict().items()
        if part in name
    }


@pytest.mark.parametrize("strategy", ["frozen", "finetune", "gradual"])
def test_the_source_is_never_changed(source, beats, strategy):
    before = weights(source, "encoder.")
    expected = source.predict_proba(beats.data)
    transfer(source, strategy=strategy).fit(beats.data, beats.target == "V")
    after = weights(source, "encoder.")
    assert all(torch.equal(before[name], after[name]) for name in before)
    np.testing.assert_array_equal(source.predict_proba(beats.data), expected)


def test_a_frozen_encoder_equals_that_of_the_source(source, beats):
    model = transfer(source).fit(beats.data, beats.target == "V")
    ours, theirs = weights(model, "encoder.encoder."), weights(source, "encoder.")
    assert len(ours) == len(theirs) > 0
    for name, value in ours.items():  # weights and running statistics
        assert torch.equal(value, theirs[name]), name
    table = model.parameter_table()
    assert table[table.index.str.startswith("encoder")]["trains"].eq(False).all()
    assert table[table.index.str.startswith("head")]["trains"].all()
    assert table["size"].sum() == sum(p.numel() for p in model.net_.module_.parameters())


def test_finetuning_changes_every_parameter(source, beats):
    model = transfer(source, strategy="finetune").fit(beats.data, beats.target == "V")
    ours, theirs = weights(model, "encoder.encoder."), weights(source, "encoder.")
    for name, value in ours.items():
        if name.endswith(("weight", "bias")):
            assert not torch.equal(value, theirs[name]), name
    assert model.parameter_table()["trains"].all()


def test_finetuning_unfreezes_the_layers_of_an_earlier_transfer(source, beats):
    frozen = transfer(source, strategy="frozen").fit(beats.data, beats.target == "V")
    model = transfer(frozen, strategy="finetune").fit(beats.data, beats.target == "V")
    table = model.parameter_table()
    assert table["trains"].all()
    ours = weights(model, "encoder.encoder.encoder.")
    theirs = weights(frozen, "encoder.encoder.")
    moved = [name for name in theirs if not torch.equal(ours[name], theirs[name])]
    assert set(moved) >= {name for name in theirs if name.endswith(("weight", "bias"))}
    assert not frozen.parameter_table().filter(like="encoder", axis=0)["trains"].any()


def test_gradual_unfreezing_starts_with_the_last_layer(source, beats):
    seen = []

    class Look(Callback):
        def on_batch_begin(self, net, training=None, **kwargs):
            if training:
                seen.append(sum(p.requires_grad for p in net.module_.encoder.parameters()))

    model = transfer(source, strategy="gradual", max_epochs=4, callbacks=[Look()])
    model.fit(beats.data, beats.target == "V")
    n_parameters = len(list(model.net_.module_.encoder.parameters()))
    assert seen == sorted(seen)
    assert seen[0] == 0
    assert 0 < seen[len(seen) // 2] < n_parameters
    assert seen[-1] == n_parameters


def test_transfer_helps_with_few_labels():
    known = make_beats(n_beats=3000, n_patients=30, random_state=0)
    new = make_beats(n_beats=1000, n_patients=10, random_state=1)
    few, rest = np.arange(40), np.arange(40, 1000)
    y = np.isin(new.target, ["V", "F"])
    source = ECGCNNClassifier(**{**QUICK, "max_epochs": 8}).fit(known.data, known.target)
    params = {"max_epochs": 20, "batch_size": 16}
    scratch = ECGCNNClassifier(**{**QUICK, **params}).fit(new.data[few], y[few])
    frozen = transfer(source, **params).fit(new.data[few], y[few])
    scores = [model.score(new.data[rest], y[rest]) for model in (frozen, scratch)]
    assert scores[0] > scores[1] + 0.02


def test_clones_keep_the_source_and_are_untrained(source, beats):
    model = transfer(source).fit(beats.data, beats.target)
    copy = clone(model)
    assert copy.source is source
    assert not hasattr(copy, "net_")
    assert {k: v for k, v in copy.get_params(deep=False).items() if k != "source"} == {
        k: v for k, v in model.get_params(deep=False).items() if k != "source"
    }


def test_grid_search_over_strategies(source, beats):
    search = GridSearchCV(transfer(source), {"strategy": ["frozen", "finetune"]}, cv=2, n_jobs=2)
    search.fit(beats.data, beats.target)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_pickle(source, beats):
    model = transfer(source, strategy="gradual").fit(beats.data, beats.target)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(
        again.predict_proba(beats.data), model.predict_proba(beats.data)
    )


def test_another_number_of_leads(source, two_leads):
    model = transfer(source).fit(two_leads.data, two_leads.target)
    assert model.n_leads_ == 2
    table = model.parameter_table()
    assert table.loc["encoder.mix.weight", "shape"] == (1, 2)
    assert table.loc["encoder.mix.weight", "trains"]


def test_another_length(source, rng):
    X, y = rng.normal(size=(40, 130)), np.arange(40) % 2
    assert transfer(source).fit(X, y).n_samples_ == 130
    flat = ECGCNNClassifier(filters=(4,), stride=2, global_pool=None, **QUICK)
    flat.fit(rng.normal(size=(40, 60)), y)
    with pytest.raises(ValueError, match=r"have 130 samples.*made for 60.*global pooling"):
        transfer(flat).fit(X, y)


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        (None, ValueError, "'source' parameter"),
        ("model.pt", FileNotFoundError, "no file 'model.pt'.*give the path of a model"),
        (ECGCNNClassifier(), NotFittedError, "not fitted"),
    ],
)
def test_invalid_source(beats, wrong, error, message):
    with pytest.raises(error, match=message):
        transfer(wrong).fit(beats.data, beats.target)


@pytest.mark.parametrize("combine", ["pool", "concatenate"])
def test_the_encoder_of_one_lead_on_each_of_twelve_longer_leads(combine, source, rng):
    X = rng.normal(size=(40, 12, 300)).astype(np.float32)
    y = X[:, 7, :150].mean(axis=1) > 0
    model = transfer(source, combine_leads=combine).fit(X, y)
    by_lead = np.stack([_encode(source, X[:, lead]) for lead in range(12)], axis=1)
    expected = {
        "pool": np.concatenate([by_lead.mean(axis=1), by_lead.max(axis=1)], axis=1),
        "concatenate": by_lead.reshape(40, -1),
    }[combine]
    with torch.no_grad():
        encoded = model.net_.module_.eval().encoder(torch.from_numpy(X)).numpy()
    np.testing.assert_allclose(encoded, expected, rtol=1e-4, atol=1e-5)
    for strategy in ("finetune", "gradual"):
        again = transfer(source, combine_leads=combine, strategy=strategy).fit(X, y)
        assert again.parameter_table()["trains"].all()


def _encode(source, beats):
    with torch.no_grad():
        return source.net_.module_.eval().encoder(torch.from_numpy(beats[:, None])).numpy()


def test_a_saved_transfer_to_twelve_leads(source, rng, tmp_path):
    X, y = rng.normal(size=(40, 12, 300)), np.arange(40) % 2
    model = transfer(source, combine_leads="pool").fit(X, y)
    model.save(tmp_path / "model.ecgclf")
    np.testing.assert_array_equal(
        ecgclf.load(tmp_path / "model.ecgclf").predict_proba(X), model.predict_proba(X)
    )


def test_several_leads_cannot_be_shared(rng):
    X, y = rng.normal(size=(40, 12, 60)), np.arange(40) % 2
    two = ECGCNNClassifier(filters=(8, 16), stride=2, **QUICK).fit(X[:, :2], y)
    with pytest.raises(ValueError, match="takes 2 leads: set combine='mix'"):
        transfer(two, combine_leads="concatenate").fit(X, y)
