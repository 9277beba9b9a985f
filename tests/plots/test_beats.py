"""Tests of BeatDisplay."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from ecgclf.datasets import Beats
from ecgclf.plots import BeatDisplay

FS, N_SAMPLES = 100.0, 30


def make(n_leads=None):
    """Make beats in which each sample encodes the beat and the lead."""
    target = np.array(list("VNNNNQVN"))
    shape = (8, N_SAMPLES) if n_leads is None else (8, n_leads, N_SAMPLES)
    data = np.zeros(shape, dtype=np.float32)
    data += np.arange(8).reshape(-1, *[1] * (data.ndim - 1))
    if n_leads is not None:
        data += 100 * np.arange(n_leads)[:, None]
    lead = np.tile(["MLII", "V1", "V5"][: n_leads or 1], (8, 1))
    return Beats(data=data, target=target, fs=FS, lead=lead)


def heights(panel):
    """Return the constant value of each curve: first the examples, last the mean of the class."""
    return [float(line.get_ydata()[0]) for line in panel.lines]


def test_panels():
    display = BeatDisplay.from_beats(make(), n_per_class=3, random_state=0)
    assert display.axes_.shape == (1, 3)
    assert display.ax_ is display.axes_[0, 0]
    titles = [panel.get_title() for panel in display.axes_[0]]
    assert titles == ["N  (n = 5)", "V  (n = 2)", "Q  (n = 1)"]
    of_class = {"N": {1, 2, 3, 4, 7}, "V": {0, 6}, "Q": {5}}
    for panel, (label, rows) in zip(display.axes_[0], of_class.items()):
        *examples, mean = heights(panel)
        assert len(examples) == len(set(examples)) == min(3, len(rows))
        assert set(examples) <= rows
        assert mean == pytest.approx(np.mean(list(rows)))  # over all beats, not only those drawn
        assert display.counts[label] == len(rows)
    assert display.ax_.get_ylabel() == "MLII, amplitude (mV)"
    np.testing.assert_allclose(display.ax_.lines[0].get_xdata(), np.arange(N_SAMPLES) / FS)
    assert display.ax_.get_xlabel() == "time (s)"


def test_leads_and_time_from_r_peak():
    display = BeatDisplay.from_beats(
        make(n_leads=2), before=0.1, unit="scaled", time_unit="s", random_state=0
    )
    assert display.axes_.shape == (2, 3)
    first, second = display.axes_[:, 0]
    np.testing.assert_allclose(np.add(heights(first), 100), heights(second))
    assert first.get_ylabel() == "MLII, amplitude (scaled)"
    assert second.get_ylabel() == "V1, amplitude (scaled)"
    assert second.get_xlabel() == "time from R peak (s)"
    time = first.lines[0].get_xdata()
    np.testing.assert_allclose(time[[0, 10, -1]], [-0.1, 0, 0.19], atol=1e-12)


def test_flattened_leads():
    beats = make(n_leads=3)
    framed = Beats(**{**beats, "data": beats.data.reshape(8, -1)})
    shown = [BeatDisplay.from_beats(b, random_state=0).axes_ for b in (beats, framed)]
    assert shown[0].shape == shown[1].shape == (3, 3)
    for panel, other in zip(shown[0].ravel(), shown[1].ravel()):
        assert heights(panel) == heights(other)


def test_channel_with_several_leads():
    beats = make()
    beats.lead[3] = "V5"
    assert BeatDisplay.from_beats(beats).ax_.get_ylabel() == "MLII/V5, amplitude (mV)"
    beats.lead = None
    assert BeatDisplay.from_beats(beats).ax_.get_ylabel() == "amplitude (mV)"


def test_random_state():
    def drawn(random_state):
        display = BeatDisplay.from_beats(make(), n_per_class=2, random_state=random_state)
        plt.close(display.figure_)
        return heights(display.ax_)

    before = np.random.get_state()  # noqa: NPY002
    assert drawn(3) == drawn(3) == drawn(np.random.RandomState(3))
    assert len({tuple(drawn(None)) for _ in range(8)}) > 1
    after = np.random.get_state()  # noqa: NPY002
    assert before[2] == after[2]
    np.testing.assert_array_equal(before[1], after[1])


def test_draws_on_given_axes():
    figure, axes = plt.subplots(3, 1)
    display = BeatDisplay.from_beats(make(), ax=axes)
    assert display.axes_.ravel().tolist() == axes.tolist()
    assert display.figure_ is figure
    assert plt.get_fignums() == [figure.number]


@pytest.mark.parametrize(
    ("changes", "arguments", "message"),
    [
        ({}, {"n_per_class": 0}, "n_per_class must be an integer >= 1; got 0"),
        ({}, {"unit": "uV"}, "unit is 'uV'; expected 'mV' or 'scaled'"),
        ({}, {"time_unit": "min"}, "time_unit is 'min'; expected 's' or 'ms'"),
        ({"target": np.array(["N"])}, {}, r"data of 8 beats and target of shape \(1,\)"),
        ({"data": np.zeros((0, 5)), "target": np.zeros(0)}, {}, "at least one beat"),
        ({"data": np.zeros(8)}, {}, r"got \(8,\)"),
    ],
)
def test_bad_input(changes, arguments, message):
    with pytest.raises(ValueError, match=message):
        BeatDisplay.from_beats(Beats(**{**make(), **changes}), **arguments)


def test_wrong_number_of_axes():
    _, axes = plt.subplots(1, 2)
    with pytest.raises(ValueError, match="ax holds 2 axes; expected 3: 1 leads times 3"):
        BeatDisplay.from_beats(make(), ax=axes)


def band_of(panel):
    """Return the lower and upper edge of the band over time."""
    (band,) = panel.collections
    corners = np.unique(band.get_paths()[0].vertices.round(5), axis=0)
    edges = pd.DataFrame(corners, columns=["time", "height"]).groupby("time")["height"]
    return edges.min().to_numpy(), edges.max().to_numpy()


@pytest.mark.parametrize(
    ("spread", "name"), [((10, 90), "10th to 90th percentile"), ("sd", "mean ± SD")]
)
def test_spread(spread, name):
    beats = make()
    beats.data = np.random.default_rng(0).normal(size=beats.data.shape)
    display = BeatDisplay.from_beats(beats, n_per_class=0, spread=spread)
    for panel, label in zip(display.axes_[0], "NVQ"):
        data = beats.data[beats.target == label]
        mean, sd = data.mean(axis=0), data.std(axis=0)
        expected = [mean - sd, mean + sd]
        if spread != "sd":
            expected = np.quantile(data, [0.1, 0.9], axis=0)
        np.testing.assert_allclose(band_of(panel), expected, atol=1e-4)
        np.testing.assert_allclose(panel.lines[-1].get_ydata(), mean)
        assert len(panel.lines) == 1  # no examples
    legend = [text.get_text() for text in display.figure_.legends[0].get_texts()]
    assert legend == ["mean of the class", name]


def test_single_beats():
    display = BeatDisplay.from_beats(make(), n_per_class=1, mean=False, random_state=0)
    for panel, rows in zip(display.axes_[0], ({1, 2, 3, 4, 7}, {0, 6}, {5})):
        (height,) = heights(panel)
        assert height in rows


@pytest.mark.parametrize("spread", [(90, 10), (10,), "range", (0, 101)])
def test_bad_spread(spread):
    with pytest.raises(ValueError, match="expected two increasing percentiles"):
        BeatDisplay.from_beats(make(), spread=spread)
