"""Tests of HistoryDisplay."""

from __future__ import annotations

from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from ecgclf.plots import HistoryDisplay


@pytest.fixture
def history():
    return pd.DataFrame(
        {
            "epoch": [1, 2, 3],
            "train_loss": [0.9, 0.5, 0.4],
            "valid_loss": [0.8, 0.6, 0.7],
            "valid_score": [0.7, 0.8, 0.75],
            "lr": [0.1, 0.1, 0.1],
            "time": [1.0, 1.1, 1.0],
        }
    )


def test_curves(history):
    display = HistoryDisplay.from_estimator(
        SimpleNamespace(history_=history), score_name="validation macro-F1"
    )
    assert display.history is history
    assert display.ax_.get_xlabel() == "epoch"
    assert display.ax_.get_ylabel() == "loss"
    assert display.score_ax_.get_ylabel() == "validation macro-F1"
    for line, name in zip(display.lines_, ["train_loss", "valid_loss", "valid_score"]):
        np.testing.assert_array_equal(line.get_xdata(), history["epoch"])
        np.testing.assert_array_equal(line.get_ydata(), history[name])
    assert [line.axes for line in display.lines_] == [display.ax_] * 2 + [display.score_ax_]
    # The curves differ in line style, for prints without colour.
    assert len({line.get_linestyle() for line in display.lines_}) == 3
    legend = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert legend == ["training loss", "validation loss", "validation macro-F1"]
    display.figure_.canvas.draw()
    ticks = display.ax_.get_xticks()
    np.testing.assert_array_equal(ticks, np.round(ticks))


@pytest.mark.parametrize("absent", ["missing", "nan"])
def test_without_validation(history, absent):
    validation = ["valid_loss", "valid_score"]
    history = (
        history.drop(columns=validation)
        if absent == "missing"
        else history.assign(**dict.fromkeys(validation, np.nan))
    )
    display = HistoryDisplay(history).plot()
    assert len(display.lines_) == 1
    assert display.score_ax_ is None


def test_draws_on_given_axes(history):
    figure, axes = plt.subplots(1, 2)
    display = HistoryDisplay(history).plot(ax=axes[1])
    assert display.ax_ is axes[1]
    assert display.figure_ is figure
    assert not axes[0].lines
    assert plt.get_fignums() == [figure.number]


def test_bad_input(history):
    with pytest.raises(AttributeError, match=r"list has no history_.*pipeline\[-1\]"):
        HistoryDisplay.from_estimator([])
    with pytest.raises(ValueError, match=r"lacks the columns \['train_loss'\]; it has"):
        HistoryDisplay(history.drop(columns="train_loss"))
    with pytest.raises(ValueError, match="history is empty"):
        HistoryDisplay(history[:0])
    with pytest.raises(ValueError, match="must be a DataFrame; got dict"):
        HistoryDisplay({"epoch": [1]})
