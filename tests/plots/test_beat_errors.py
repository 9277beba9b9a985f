"""Tests of BeatErrorDisplay."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.dummy import DummyClassifier

from ecgclf.plots import BeatErrorDisplay

Y_TRUE = np.array(list("NNNNVVVS"))
Y_PRED = np.array(list("NNVSVVNS"))


@pytest.fixture
def beats():
    """Two leads in which each sample encodes the beat and the lead."""
    return np.arange(8.0)[:, None, None] + 100 * np.arange(2)[:, None] + np.zeros(20)


def thick(panel):
    """Return the value of each mean by its name."""
    lines = [line for line in panel.lines if line.get_linewidth() > 1]
    return {line.get_label(): line.get_ydata()[0] for line in lines}


def thin(panel):
    return {line.get_ydata()[0] for line in panel.lines if line.get_linewidth() < 1}


def test_panels(beats):
    display = BeatErrorDisplay.from_predictions(
        beats, Y_TRUE, Y_PRED, fs=100, before=0.05, lead_names=["I", "II"]
    )
    titles = [panel.get_title().split("\n") for panel in display.axes_[0]]
    assert titles == [
        ["N: 2 correct, 2 wrong", "predicted as S 1, V 1"],
        ["S: 1 correct, 0 wrong", ""],
        ["V: 2 correct, 1 wrong", "predicted as N 1"],
    ]
    expected = [
        {"correct": 0.5, "wrong": 2.5},
        {"correct": 7},
        {"correct": 4.5, "wrong": 6},
    ]
    assert [thick(panel) for panel in display.axes_[0]] == expected
    of_second = [{name: 100 + v for name, v in means.items()} for means in expected]
    assert [thick(panel) for panel in display.axes_[1]] == of_second
    assert [thin(panel) for panel in display.axes_[0]] == [{0, 1, 2, 3}, {7}, {4, 5, 6}]
    time = display.ax_.lines[0].get_xdata()
    np.testing.assert_allclose(time, np.arange(20) / 100 - 0.05, atol=1e-12)
    assert display.axes_[1, 0].get_xlabel() == "time from R peak (s)"
    assert display.axes_[1, 0].get_ylabel() == "II, amplitude (mV)"
    styles = {line.get_label(): line.get_linestyle() for line in display.ax_.lines}
    assert styles["correct"] != styles["wrong"]  # distinct without colour
    legend = [text.get_text() for text in display.figure_.legends[0].get_texts()]
    assert legend == ["correct", "wrong"]


def test_n_per_class_limits_the_beats_drawn(beats):
    def drawn(seed):
        display = BeatErrorDisplay.from_predictions(
            beats[:, 0], Y_TRUE, Y_PRED, fs=100, n_per_class=1, random_state=seed
        )
        plt.close(display.figure_)
        return thin(display.ax_)

    assert drawn(3) == drawn(3)
    assert len(drawn(0) & {0, 1}) == len(drawn(0) & {2, 3}) == 1


def test_from_estimator(beats):
    model = DummyClassifier(strategy="most_frequent").fit(beats[:, 0], Y_TRUE)
    display = BeatErrorDisplay.from_estimator(model, beats[:, 0], Y_TRUE, fs=100, time_unit="s")
    assert [panel.get_title().split("\n")[0] for panel in display.axes_[0]] == [
        "N: 4 correct, 0 wrong",
        "S: 0 correct, 1 wrong",
        "V: 0 correct, 3 wrong",
    ]
    assert display.ax_.get_xlabel() == "time (s)"


def test_bad_input(beats):
    with pytest.raises(ValueError, match="X has 7 entries, but y_true has 8"):
        BeatErrorDisplay.from_predictions(beats[1:], Y_TRUE, Y_PRED, fs=100)
    _, axes = plt.subplots(1, 2)
    with pytest.raises(ValueError, match="ax holds 2 axes; expected 6: 2 leads times 3 classes"):
        BeatErrorDisplay.from_predictions(beats, Y_TRUE, Y_PRED, fs=100, ax=axes)
