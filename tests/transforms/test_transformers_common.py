"""Common tests of the transformers of signals, driven by one table of instances."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import (
    check_set_output_transform,
    check_set_output_transform_pandas,
    check_transformer_get_feature_names_out,
    check_transformer_get_feature_names_out_pandas,
    parametrize_with_checks,
)

from ecgclf.transforms import (
    BandpassFilter,
    BaselineWanderRemover,
    BeatScaler,
    FourierFeatures,
    HighpassBaseline,
    MedianBaseline,
    NotchFilter,
    Scalogram,
    SignalResampler,
    Spectrogram,
    WaveletBaseline,
    WaveletDenoiser,
)

#: Instances that take beats of a few samples, as in scikit-learn's checks, with a grid to search.
TABLE = [
    (BandpassFilter(fs=10, low=1, high=4), {"order": [1, 3]}),
    (BandpassFilter(fs=10, low=1, high=None), {"low": [0.5, 2]}),
    (NotchFilter(fs=10, frequency=2), {"quality": [1, 10]}),
    (BaselineWanderRemover(fs=5), {"baseline": [None, HighpassBaseline()]}),
    (BaselineWanderRemover(fs=5, baseline=MedianBaseline((0.4,))), {"fs": [4, 5]}),
    (
        BaselineWanderRemover(fs=5, baseline=HighpassBaseline(cutoff=0.5)),
        {"baseline__cutoff": [0.2, 1]},
    ),
    (
        BaselineWanderRemover(fs=5, baseline=WaveletBaseline(cutoff=1.25, wavelet="haar")),
        {"baseline__wavelet": ["haar", "db1"]},
    ),
    (SignalResampler(fs_in=2, fs_out=3), {"fs_out": [2, 4]}),
    (SignalResampler(fs_in=2, fs_out=1), {"fs_out": [2, 4]}),
    (BeatScaler(), {"keep_padding": [True, False]}),
    (BeatScaler("minmax", per="beat"), {"per": ["beat", "lead"]}),
    (BeatScaler("robust", per="dataset"), {"method": ["minmax", "robust"]}),
    (WaveletDenoiser(wavelet="haar"), {"threshold": ["soft", "hard"]}),
    (Spectrogram(fs=10, frame=1, hop=1, detrend=False), {"log": [True, False]}),
    (Spectrogram(fs=10, frame=2, hop=1), {"floor_db": [-80, -40]}),
    (Scalogram(fs=10, low=2, high=4, n_freqs=3), {"hop": [1, 2]}),
    (FourierFeatures(), None),
]
ALL = [transformer for transformer, _ in TABLE]
SIGNALS = [t for t in ALL if not isinstance(t, (Spectrogram, Scalogram, FourierFeatures))]
SAME_COLUMNS = [t for t in SIGNALS if not isinstance(t, SignalResampler)]


def parametrize(transformers):
    return pytest.mark.parametrize("transformer", transformers, ids=repr)


every_transformer = parametrize(ALL)


@parametrize_with_checks(ALL)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@parametrize(SIGNALS)
@pytest.mark.filterwarnings("ignore:X (has|does not have valid) feature names")
@pytest.mark.parametrize(
    "check",
    [
        check_set_output_transform,
        check_set_output_transform_pandas,
        check_transformer_get_feature_names_out,
        check_transformer_get_feature_names_out_pandas,
    ],
    ids=lambda check: check.__name__,
)
def test_scikit_learn_checks_of_names(transformer, check):
    check(type(transformer).__name__, transformer)


@pytest.fixture
def beats():
    return np.random.default_rng(0).normal(size=(6, 3, 24))


def leads_apart(transformer, X):
    """Transform each lead alone."""
    return [clone(transformer).fit_transform(X[:, lead]) for lead in range(X.shape[1])]


@every_transformer
def test_leads_are_independent(transformer, beats):
    if getattr(transformer, "per", None) == "beat":
        pytest.skip("all leads of a beat are scaled together")
    together = clone(transformer).fit_transform(beats)
    assert len(together) == len(beats)
    apart = leads_apart(transformer, beats)
    if isinstance(transformer, FourierFeatures):
        expected = np.concatenate([part[:, [i]] for i in (0, 1) for part in apart], axis=1)
    elif transformer in SIGNALS:
        expected = np.stack(apart, axis=1)
    else:
        expected = np.concatenate(apart, axis=1)
    np.testing.assert_allclose(together, expected, rtol=1e-9, atol=1e-9)


@every_transformer
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_input_is_not_modified_and_dtype_is_kept(transformer, beats, dtype):
    for X in (beats.astype(dtype), beats[:, 0].astype(dtype)):
        before = X.copy()
        fitted = clone(transformer).fit(X)
        changed = fitted.transform(X)
        np.testing.assert_array_equal(X, before)
        assert changed.dtype == dtype
        assert not np.shares_memory(changed, X)
        changed[:] = 7  # must not change the fitted transformer
        X.flags.writeable = False
        assert (fitted.transform(X) != 7).any()


@every_transformer
def test_single_precision(transformer, beats):
    double = clone(transformer).fit_transform(beats)
    single = clone(transformer).fit_transform(beats.astype(np.float32))
    if getattr(transformer, "log", False):
        # Very small powers differ by rounding.
        double, single = (np.maximum(decibels, -50) for decibels in (double, single))
    np.testing.assert_allclose(single, double, rtol=1e-3, atol=1e-4)


@every_transformer
def test_beats_are_independent(transformer, beats):
    X = np.tile(beats, (100, 1, 1))  # more than one block
    fitted = clone(transformer).fit(X)
    whole = fitted.transform(X)
    np.testing.assert_allclose(whole[::60][:7], whole[:1].repeat(7, axis=0), rtol=1e-9)
    np.testing.assert_allclose(fitted.transform(X[300:304]), whole[300:304], rtol=1e-9)


@every_transformer
def test_pickle_and_clone(transformer, beats):
    fitted = clone(transformer).fit(beats)
    expected = fitted.transform(beats)
    loaded = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(loaded.transform(beats), expected)
    copy = clone(fitted)
    assert not hasattr(copy, "n_features_in_")
    assert repr(copy) == repr(transformer)
    np.testing.assert_array_equal(copy.fit_transform(beats), expected)


@every_transformer
def test_transform_without_fit(transformer, beats):
    unfitted = clone(transformer)
    if isinstance(transformer, BeatScaler):
        with pytest.raises(ValueError, match="not fitted"):
            unfitted.transform(beats)
        return
    expected = clone(transformer).fit_transform(beats)
    np.testing.assert_array_equal(unfitted.transform(beats), expected)


# --- names and frames ---------------------------------------------------------------------------


@parametrize(SAME_COLUMNS)
def test_column_names_are_kept(transformer, beats):
    X = pd.DataFrame(beats[:, 0]).add_prefix("t")
    frame = clone(transformer).set_output(transform="pandas").fit_transform(X)
    assert frame.columns.tolist() == X.columns.tolist()
    np.testing.assert_array_equal(frame, clone(transformer).fit_transform(X.to_numpy()))


def test_names_of_resampled_columns(beats):
    X = pd.DataFrame(beats[:, 0]).add_prefix("t")
    resampler = SignalResampler(2, 3).set_output(transform="pandas")
    frame = resampler.fit_transform(X)
    assert frame.columns.tolist() == [f"sample_{i:03}" for i in range(36)]
    with pytest.raises(ValueError, match="input_features"):
        resampler.get_feature_names_out(["a", "b"])
    long = SignalResampler(1, 2).fit(np.zeros((1, 2, 300)))
    assert long.get_feature_names_out()[-1] == "sample_1199"


@parametrize(SIGNALS)
def test_frames_cannot_hold_several_leads(transformer, beats):
    in_frames = clone(transformer).fit(beats).set_output(transform="pandas")
    with pytest.raises(ValueError, match=r"shape \(6, 3, \d+\), which a pandas frame cannot"):
        in_frames.transform(beats)


@parametrize([t for t in ALL if t not in SIGNALS])
def test_3d_output_stays_an_array(transformer, beats):
    with config_context(transform_output="pandas"):
        pictures = clone(transformer).fit_transform(beats[:, 0])
    assert isinstance(pictures, np.ndarray)
    assert pictures.ndim == 3


# --- invalid input ------------------------------------------------------------------------------


@every_transformer
@pytest.mark.parametrize(
    ("spoil", "match"),
    [
        (lambda X: np.where(X.max() == X, np.nan, X), "contains NaN"),
        (lambda X: np.where(X.max() == X, np.inf, X), "infinity"),
        (lambda X: X[:0], "0 sample"),
        (lambda X: X[..., :0], "0 samples|0 feature"),
        (lambda X: X[np.newaxis, np.newaxis], "dim"),
        (lambda X: X[0, 0, 0], "0D|Expected 2D|[Ss]calar"),
    ],
)
def test_invalid_beats(transformer, beats, spoil, match):
    for X in (beats, beats[:, :1]):
        with pytest.raises(ValueError, match=match):
            clone(transformer).fit(spoil(X))
        with pytest.raises(ValueError, match=match):
            clone(transformer).fit(X).transform(spoil(X))


@every_transformer
def test_beats_of_another_shape_than_in_fit(transformer, beats):
    fitted = clone(transformer).fit(beats)
    with pytest.raises(ValueError, match=r"2 leads and 24 samples.* 3 leads of 24.*fit again"):
        fitted.transform(beats[:, :2])
    with pytest.raises(ValueError, match=r"3 leads and 20 samples.* 3 leads of 24"):
        fitted.transform(beats[..., :20])
    with pytest.raises(ValueError, match=r"1 leads and 72 samples.* 3 leads of 24"):
        fitted.transform(beats.reshape(6, -1))
    with pytest.raises(ValueError, match=r"23 features.*24 features"):
        clone(transformer).fit(beats[:, 0]).transform(beats[:, 0, 1:])


# --- composition --------------------------------------------------------------------------------


def as_table(X):
    return X.reshape(len(X), -1)


@pytest.mark.parametrize(("transformer", "grid"), TABLE, ids=repr)
def test_pipelines_and_grid_searches(transformer, grid, beats):
    X = np.tile(beats[:, 0], (4, 1))
    y = np.arange(len(X)) % 2
    pipeline = Pipeline(
        [
            ("transformer", clone(transformer)),
            ("table", FunctionTransformer(as_table)),
            ("classifier", LogisticRegression()),
        ]
    )
    grid = {f"transformer__{name}": values for name, values in (grid or {}).items()}
    search = GridSearchCV(pipeline, grid or {"classifier__C": [1.0]}, cv=2, error_score="raise")
    assert search.fit(X, y).predict(X).shape == y.shape
    assert len(search.cv_results_["params"]) == (2 if grid else 1)


@parametrize(SIGNALS)
def test_column_transformer(transformer, beats):
    frame = pd.DataFrame(beats[:, 0]).add_prefix("t").assign(age=60.0)
    columns = ColumnTransformer(
        [("signal", clone(transformer), frame.columns[:-1].tolist())], remainder="passthrough"
    )
    changed = columns.set_output(transform="pandas").fit_transform(frame)
    assert changed.columns[-1] == "remainder__age"
    assert changed.columns[0].startswith("signal__")
    expected = clone(transformer).fit_transform(beats[:, 0])
    np.testing.assert_allclose(changed.iloc[:, :-1], expected, rtol=1e-9, atol=1e-12)


def test_pipeline_of_many_transformers(beats):
    X = np.random.default_rng(1).normal(size=(4, 2, 360)).astype(np.float32)
    pictures = make_pipeline(
        NotchFilter(fs=360, frequency=60),
        BaselineWanderRemover(fs=360),
        BandpassFilter(fs=360),
        WaveletDenoiser(),
        SignalResampler(360, 120),
        BeatScaler(),
        Spectrogram(fs=120),
    ).fit_transform(X)
    assert pictures.shape == (4, 2 * 17, 23)
    assert pictures.dtype == np.float32
