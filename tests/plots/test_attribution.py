"""Tests of AttributionDisplay."""

from __future__ import annotations

from functools import partial

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ecgclf import ECGMLPClassifier
from ecgclf.evaluation import occlusion
from ecgclf.plots import AttributionDisplay

FS = 100.0


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def draw(X, attributions, ax=None, **kwargs):
    return AttributionDisplay(X, attributions, fs=FS, **kwargs).plot(ax=ax)


def test_bands(rng):
    X, attributions = rng.normal(size=(2, 5, 2, 20))
    display = draw(X, attributions, before=0.05, lead_names=["I", "II"], titles=list("abcde"))
    assert display.axes_.shape == (2, 5)
    highest = np.abs(attributions).max()
    for (lead, beat), band in np.ndenumerate(display.bands_):
        np.testing.assert_allclose(band.get_array(), attributions[beat, lead])
        widths = np.asarray(band.get_linewidths())
        np.testing.assert_allclose(
            widths / 9, np.sqrt(np.abs(attributions[beat, lead]) / highest)
        )
        assert band.get_clim() == (-highest, highest)
        # Each piece contains its sample, and consecutive pieces join.
        pieces = np.array(band.get_segments())
        time = np.arange(20) / 100 - 0.05
        np.testing.assert_allclose(
            pieces[:, 1], np.column_stack([time, X[beat, lead]]), atol=1e-12
        )
        np.testing.assert_allclose(pieces[1:, 0], pieces[:-1, 2])
        np.testing.assert_allclose(display.axes_[lead, beat].lines[0].get_ydata(), X[beat, lead])
    assert [panel.get_title() for panel in display.axes_[0]] == list("abcde")
    assert display.axes_[1, 0].get_ylabel() == "II, amplitude (mV)"
    # The fifth beat starts a second row of panels.
    assert display.axes_[0, 4].get_ylabel() == "I, amplitude (mV)"
    assert display.axes_[1, 4].get_xlabel() == "time from R peak (s)"


def test_sign_is_visible_without_colour(rng):
    display = draw(*rng.normal(size=(2, 1, 20)))
    cmap = display.bands_[0, 0].get_cmap()
    lightness = cmap(np.linspace(0, 1, 50))[:, :3] @ [0.299, 0.587, 0.114]
    assert (np.diff(lightness) > 0).all()
    assert lightness[-1] - lightness[0] > 0.25


def test_vmax(rng):
    X, attributions = rng.normal(size=(2, 1, 20))
    display = draw(X, attributions, vmax=0.5)
    widths = np.asarray(display.bands_[0, 0].get_linewidths())
    np.testing.assert_allclose(widths, 9 * np.sqrt(np.minimum(np.abs(attributions[0]) / 0.5, 1)))
    assert display.bands_[0, 0].get_clim() == (-0.5, 0.5)


def test_leads_and_features_of_a_network(rng):
    X = rng.normal(size=(40, 2 * 12 + 3))
    y = np.where(X[:, 4] > 0, "V", "N")
    model = ECGMLPClassifier(n_leads=2, n_tabular=3, max_epochs=1, random_state=0, verbose=0)
    pipeline = make_pipeline(StandardScaler(), model).fit(X, y)
    display = AttributionDisplay.from_estimator(
        pipeline, X[:2], fs=FS, method=lambda model, X: 2 * X
    )
    assert display.axes_.shape == (2, 2)  # two leads, no panel for the features
    np.testing.assert_allclose(display.axes_[1, 0].lines[0].get_ydata(), X[0, 12:24])
    np.testing.assert_allclose(display.bands_[1, 0].get_array(), 2 * X[0, 12:24])
    with pytest.raises(ValueError, match=r"method returned shape \(27,\); expected .* \(2, 27\)"):
        AttributionDisplay.from_estimator(pipeline, X[:2], fs=FS, method=lambda model, X: X[0])


def test_attributions_of_zero(rng):
    X = rng.normal(size=(1, 20))
    display = draw(X, np.zeros_like(X))
    assert not np.any(display.bands_[0, 0].get_linewidths())


def test_from_estimator(rng):
    X = rng.normal(size=(60, 12))
    y = np.where(X[:, 4] > 0, "V", "N")
    model = LogisticRegression().fit(X, y)
    method = partial(occlusion, width=1)
    display = AttributionDisplay.from_estimator(model, X[:3], y[:3], fs=FS, method=method)
    np.testing.assert_allclose(display.attributions[:, 0], occlusion(model, X[:3], width=1))
    predicted = model.predict(X[:3])
    titles = [panel.get_title() for panel in display.axes_[0]]
    assert titles == [f"{true}, predicted {label}" for true, label in zip(y, predicted)]
    assert display.colorbar_.ax.get_ylabel() == "decrease in probability"
    own = AttributionDisplay.from_estimator(
        model, X[:1], fs=FS, method=lambda model, X: X, colorbar_label="share (%)"
    )
    assert own.ax_.get_title() == f"predicted {predicted[0]}"
    assert own.colorbar_.ax.get_ylabel() == "share (%)"


def test_draws_on_given_axes(rng):
    figure, axes = plt.subplots(1, 2)
    display = draw(*rng.normal(size=(2, 2, 20)), ax=axes)
    assert display.axes_.ravel().tolist() == axes.tolist()
    assert display.figure_ is figure
    with pytest.raises(ValueError, match="ax holds 2 axes; expected 3: 1 leads times 3 beats"):
        draw(*rng.normal(size=(2, 3, 20)), ax=axes)


@pytest.mark.parametrize(
    ("shapes", "arguments", "message"),
    [
        (((2, 20), (2, 19)), {}, r"shape \(2, 20\) and attributions \(2, 19\)"),
        (((0, 20), (0, 20)), {}, "at least one beat"),
        (((2, 20), (2, 20)), {"titles": ["a"]}, "titles has 1 entries; expected 2"),
        (((2, 20), (2, 20)), {"unit": "V"}, "unit is 'V'"),
        (((2, 20), (2, 20)), {"time_unit": "h"}, "time_unit is 'h'"),
    ],
)
def test_bad_input(shapes, arguments, message):
    with pytest.raises(ValueError, match=message):
        draw(*(np.zeros(shape) for shape in shapes), **arguments)
