"""Tests of TwelveLeadDisplay."""

from __future__ import annotations

from functools import partial

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from ecgclf.evaluation import occlusion
from ecgclf.plots import TwelveLeadDisplay

LEADS = ["I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"]


@pytest.fixture
def signal():
    return np.random.default_rng(0).normal(size=(12, 400)) + np.arange(12)[:, None]


def test_each_lead_shows_its_quarter(signal):
    display = TwelveLeadDisplay(signal, fs=40, title="record 1").plot()
    rows = [["I", "aVR", "V1", "V4"], ["II", "aVL", "V2", "V5"], ["III", "aVF", "V3", "V6"]]
    for panel, names in zip(display.axes_, rows):
        assert [text.get_text() for text in panel.texts] == names
        for quarter, (line, name) in enumerate(zip(panel.lines, names)):
            part = slice(100 * quarter, 100 * (quarter + 1))
            np.testing.assert_array_equal(line.get_ydata(), signal[LEADS.index(name), part])
            np.testing.assert_allclose(line.get_xdata(), np.arange(400)[part] / 40)
    (strip,) = display.axes_[3].lines
    np.testing.assert_array_equal(strip.get_ydata(), signal[1])
    assert display.axes_[0].get_title(loc="left") == "record 1"
    labels = [label.get_text() for label in display.axes_[3].get_xticklabels()]
    assert labels[::5] == [str(second) for second in range(11)]
    assert display.lead_shares_ == {}


def test_leads_in_any_order_and_case(signal):
    order = np.random.default_rng(1).permutation(12)
    names = [LEADS[i].upper() for i in order]
    display = TwelveLeadDisplay(signal[order], 400, lead_names=names, rhythm=None).plot()
    expected = TwelveLeadDisplay(signal, 400, rhythm=None).plot()
    assert len(display.axes_) == 3
    for panel, other in zip(display.axes_, expected.axes_):
        for line, same in zip(panel.lines, other.lines):
            np.testing.assert_array_equal(line.get_ydata(), same.get_ydata())


def test_attributions(signal):
    attributions = np.zeros((12, 400))
    attributions[6, 210] = -3.0
    attributions[1, 20:30] = 0.1
    display = TwelveLeadDisplay(signal, 400, attributions=attributions).plot()
    assert display.lead_shares_["V1"] == pytest.approx(0.75)
    assert display.lead_shares_["II"] == pytest.approx(0.25)
    assert display.axes_[0].texts[2].get_text() == "V1 75%"
    bands = display.axes_[0].collections
    np.testing.assert_array_equal(bands[2].get_array(), attributions[6, 200:300])
    assert bands[0].get_clim() == (-3.0, 3.0)


def test_the_lead_that_a_classifier_uses():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 12, 40))
    y = X[:, 7, :10].mean(axis=1) > 0

    class OnRows(LogisticRegression):
        def predict_proba(self, X):
            return super().predict_proba(np.reshape(X, (len(X), -1)))

    model = OnRows().fit(X.reshape(200, -1), y)
    method = partial(occlusion, width=10, target=True)
    display = TwelveLeadDisplay.from_estimator(model, X[y][0], 10, method=method)
    assert max(display.lead_shares_, key=display.lead_shares_.get) == "V2"
    assert display.colorbar_label == "decrease in probability"


def test_given_axes(signal):
    axes = plt.subplots(4)[1]
    display = TwelveLeadDisplay(signal, 400).plot(ax=axes)
    assert display.figure_ is axes[0].figure
    with pytest.raises(ValueError, match="ax holds 2 axes; expected 4"):
        TwelveLeadDisplay(signal, 400).plot(ax=axes[:2])


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"signal": np.zeros((8, 100))}, r"shape \(8, 100\), expected \(12, n_samples\)"),
        ({"lead_names": ["I"] * 12}, "expected the leads"),
        ({"rhythm": "MLII"}, "rhythm='MLII'"),
        ({"attributions": np.zeros((12, 3))}, r"attributions has the shape \(12, 3\)"),
    ],
)
def test_invalid(changes, match):
    with pytest.raises(ValueError, match=match):
        TwelveLeadDisplay(**{"signal": np.zeros((12, 100)), "fs": 10, **changes})
