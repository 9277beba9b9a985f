"""Tests of ECGResNetClassifier."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.base import clone
from torch import nn

from ecgclf.datasets import make_beats
from ecgclf.estimators._resnet import ECGResNetClassifier
from ecgclf.modules import Dropout, ResidualBlock, SqueezeExcite

#: Kachuee, Fazeli and Sarrafzadeh 2018.
KACHUEE = ECGResNetClassifier(
    block="pooled", filters=(32,) * 5, stride=2, kernel_size=5, stem_filters=32,
    stem_kernel_size=5, stem_stride=1, pool_size=5, squeeze_excite=False, global_pool=None,
    dense=(32, 32), max_epochs=1, verbose=0, random_state=0,
)  # fmt: skip

#: The pre-activation network of 398 layers.
DEEPEST = ECGResNetClassifier(
    block="bottleneck", filters=(64, 128, 256), n_blocks=44, kernel_size=3, stem_filters=16,
    stem_kernel_size=7, stem_stride=1, squeeze_excite=False, global_pool="avg", max_epochs=1,
    lr=1e-3, verbose=0, random_state=0,
)  # fmt: skip


#: Strodthoff et al. 2021, on 12 leads.
XRESNET101 = ECGResNetClassifier(
    block="xresnet", filters=(256,) * 4, n_blocks=(3, 4, 23, 3), stem_filters=(32, 32, 64),
    stem_kernel_size=5, stem_pool_size=3, squeeze_excite=False, dense=(128,), dense_dropout=0.5,
    max_epochs=1, verbose=0, random_state=0,
)  # fmt: skip


def n_parameters(model: ECGResNetClassifier) -> int:
    return sum(p.numel() for p in model.net_.module_.parameters())


@pytest.fixture
def five_classes(rng):
    return rng.random((20, 187)).astype(np.float32), np.arange(20) % 5


def test_the_residual_cnn_of_kachuee_et_al(five_classes):
    X, y = five_classes
    model = clone(KACHUEE).fit(X, y)
    # 187 samples are halved five times to 6.
    dense = 6 * 32 * 32 + 32 + 32 * 32 + 32 + 32 * 5 + 5
    assert n_parameters(model) == (5 * 32 + 32) + 10 * (32 * 32 * 5 + 32) + dense
    # Layer by layer, with functions of torch.
    module = model.net_.module_
    weights = iter([p.detach() for p in module.parameters()])

    def conv(x):
        return torch.conv1d(x, next(weights).squeeze(2), next(weights), padding=2)

    def linear(x):
        return nn.functional.linear(x, next(weights), next(weights))

    x = conv(torch.from_numpy(X)[:, None])
    for _ in range(5):
        x = (conv(conv(x).relu()) + x).relu()
        x = torch.max_pool1d(nn.functional.pad(x, (1, 2 + x.shape[2] % 2)), 5, stride=2)
    x = linear(linear(linear(x.flatten(1)).relu()).relu())
    np.testing.assert_allclose(model.decision_function(X), x, rtol=1e-4, atol=1e-5)


def test_the_deepest_network_has_the_published_size_and_predicts(five_classes):
    X, y = five_classes
    model = clone(DEEPEST).fit(X, y)
    assert np.isfinite(model.predict_proba(X)).all()
    module = model.net_.module_
    blocks = [m for m in module.modules() if isinstance(m, ResidualBlock)]
    assert [len([m for m in b.branch if isinstance(m, nn.Conv2d)]) for b in blocks] == [3] * 132
    # Layers: the stem, three convolutions a block, and the output.
    assert 1 + 3 * len(blocks) + 1 == 398
    moving = sum(b.numel() for name, b in module.named_buffers() if "running" in name)
    # The published count includes the running means and variances of the batch norms.
    assert n_parameters(model) + moving == 2_782_725
    assert n_parameters(model) == 2_723_557
    # 16 + 43 x 64 + 64 + 43 x 128 + 128 + 43 x 256 channels before blocks and 256 at the end,
    # and two batch norms a block of a quarter of its width; two figures for each.
    inside = 44 * 2 * (16 + 32 + 64)
    assert moving == 2 * (16 + 44 * (64 + 128 + 256) + inside)


def test_the_default_network_counted_by_hand(five_classes):
    """The documented number of parameters."""
    model = ECGResNetClassifier(max_epochs=1, verbose=0, random_state=0).fit(*five_classes)
    expected, before = 32 * 7 + 2 * 32, 32
    for filters in (32, 64, 96, 128):
        expected += 5 * filters * (before + filters) + 2 * 2 * filters
        if before != filters:
            expected += before * filters + 2 * filters
        units = max(filters // 8, 4)
        expected += 2 * filters * units + units + filters
        before = filters
    expected += 2 * 128 * 5 + 5
    assert n_parameters(model) == expected == 293_069


@pytest.mark.parametrize(
    ("stride", "lengths"),
    [(None, [94, 47, 24]), (2, [47, 24, 12]), ((1, 3, 1), [94, 32, 32])],
)
def test_strides_of_the_stages(stride, lengths, five_classes):
    X, y = five_classes
    model = ECGResNetClassifier(
        filters=(4, 8, 8), stride=stride, stem_stride=2, max_epochs=1, verbose=0, random_state=0
    ).fit(X, y)
    found = []
    for part in model.net_.module_.modules():
        if isinstance(part, ResidualBlock):
            part.register_forward_hook(lambda module, x, out: found.append(out.shape[-1]))
    model.net_.module_(torch.from_numpy(X))
    assert found == lengths


def test_every_parameter_is_used(five_classes):
    X, y = five_classes
    model = ECGResNetClassifier(
        filters=(4, 12), n_blocks=(1, 2), kernel_size=(4, 3), stem_filters=6,
        stem_kernel_size=9, squeeze_excite=True, block_dropout=0.1, global_pool="max",
        max_epochs=1, verbose=0, random_state=0,
    ).fit(X, y)  # fmt: skip
    encoder = model.net_.module_.encoder
    assert encoder.out_features == 12
    assert encoder.layers[0].weight.shape == (6, 1, 1, 9)
    blocks = [m for m in encoder.layers if isinstance(m, ResidualBlock)]
    shapes = [
        [
            tuple(m.weight.shape[:2]) + m.kernel_size[1:]
            for m in b.branch
            if isinstance(m, nn.Conv2d)
        ]
        for b in blocks
    ]
    assert shapes == [
        [(4, 6, 4), (4, 4, 4)],
        [(12, 4, 3), (12, 12, 3)],
        [(12, 12, 3), (12, 12, 3)],
    ]
    for kind in (SqueezeExcite, Dropout):
        assert sum(isinstance(m, kind) for m in encoder.modules()) == 3


@pytest.mark.filterwarnings("ignore:X of shape .* leads of only 3 samples")
@pytest.mark.parametrize("block", ["basic", "bottleneck", "pooled"])
@pytest.mark.parametrize(("n_leads", "n_samples"), [(1, 1), (1, 2), (12, 3), (2, 31), (3, 700)])
def test_beats_of_odd_sizes(block, n_leads, n_samples, rng):
    X = rng.normal(size=(9, n_leads, n_samples)).astype(np.float32)
    model = ECGResNetClassifier(
        block=block, max_epochs=1, verbose=0, random_state=0, lr=1e-3
    ).fit(X, np.arange(9) % 3)
    assert model.predict_proba(X).shape == (9, 3)


@pytest.mark.parametrize("block", ["basic", "bottleneck", "pooled"])
def test_every_block_type_learns(block):
    train = make_beats(n_beats=600, n_patients=10, random_state=0)
    test = make_beats(n_beats=300, n_patients=10, random_state=1)
    model = ECGResNetClassifier(
        block=block, filters=(16, 32), n_blocks=2, stem_filters=16, squeeze_excite=True,
        block_dropout=0.05, max_epochs=15, batch_size=32, lr=1e-2, verbose=0, random_state=0,
    ).fit(train.data, train.target)  # fmt: skip
    most_frequent = np.mean(test.target == "N")
    assert model.score(train.data, train.target) > 0.9
    assert model.score(test.data, test.target) > most_frequent + 0.1


@pytest.mark.parametrize("parameter", ["n_blocks", "kernel_size", "stride"])
def test_wrong_number_of_values(parameter, five_classes):
    model = ECGResNetClassifier(filters=(4, 8), verbose=0, **{parameter: (1, 1, 1)})
    with pytest.raises(ValueError, match=f"{parameter}=.*3 values for 2 layers.*filters"):
        model.fit(*five_classes)


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("block", "wide"), ("filters", ()), ("filters", 32), ("filters", (8, 0)),
        ("n_blocks", 0), ("kernel_size", (3, 0, 3)), ("stride", 0), ("stem_filters", None),
        ("stem_kernel_size", 2.5), ("stem_stride", 0), ("pool_size", 0),
        ("squeeze_excite", "yes"), ("block_dropout", 1.0), ("global_pool", "mean"),
    ],
)  # fmt: skip
def test_value_out_of_range(parameter, value, five_classes):
    model = ECGResNetClassifier(verbose=0, **{parameter: value})
    with pytest.raises(ValueError, match=f"The '{parameter}' parameter of ECGResNetClassifier"):
        model.fit(*five_classes)


@pytest.mark.parametrize("n_blocks", [(3, 4, 6, 3), (3, 4, 23, 3)])
def test_xresnet1d(n_blocks):
    """The layers of the published code; theirs has two more batch norms in the dense layers."""

    def conv(n_in, n_out, size):  # with its batch norm
        return n_in * n_out * size + 2 * n_out

    block = conv(256, 64, 1) + conv(64, 64, 5) + conv(64, 256, 1)
    expected = conv(12, 32, 5) + conv(32, 32, 5) + conv(32, 64, 5)
    expected += sum(n_blocks) * block + conv(64, 64, 1) - conv(256, 64, 1)  # the first one
    expected += conv(64, 256, 1)  # its shortcut
    expected += 512 * 128 + 128 + 128 * 5 + 5
    model = clone(XRESNET101).set_params(n_blocks=n_blocks)
    model.n_leads_, model.n_samples_, model.classes_ = 12, 1000, np.arange(5)
    network = model._make_module()
    assert sum(p.numel() for p in network.parameters()) == expected
    with torch.no_grad():
        images = network.encoder.layers(torch.zeros(2, 12, 1, 1000))
    assert images.shape == (2, 256, 1, 32)  # 1000 / 2 / 2 / 2 / 2 / 2, rounded up
    norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
    assert sum(not norm.weight.any() for norm in norms) == sum(n_blocks)


def test_a_deep_xresnet_learns():
    beats = make_beats(n_beats=300, n_leads=12, n_patients=10, random_state=0)
    model = clone(XRESNET101).set_params(filters=(16, 16), n_blocks=6, stem_filters=(8, 8))
    model.set_params(dense=(), dense_dropout=0.0, max_epochs=15, batch_size=32)
    assert model.fit(beats.data, beats.target).score(beats.data, beats.target) > 0.9
