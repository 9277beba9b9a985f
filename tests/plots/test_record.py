"""Tests of RecordDisplay."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from ecgclf.plots import RecordDisplay

FS = 100.0
PEAKS = np.array([150, 450, 1050, 1350, 2350])
LABELS = np.array(list("NVNSN"))
PREDICTED = np.array(list("NNNSV"))


@pytest.fixture
def signal():
    """Two leads of 25 s: the first from -0.9 to 1.2 mV, the second from 0 to 0.3 mV."""
    time = np.arange(2500) / FS
    return np.stack([0.15 + 1.05 * np.sin(time), 0.3 * (time > 12)])


def draw(signal, ax=None, **kwargs):
    fields = {"r_peaks": PEAKS, "labels": LABELS, "predicted": PREDICTED, **kwargs}
    return RecordDisplay(signal, FS, **fields).plot(ax=ax)


def texts_of(texts):
    return [(round(text.get_position()[0], 2), text.get_text()) for text in texts]


def marked(panel):
    """Return the centre of each marked beat in s."""
    return [round(p.get_x() + p.get_width() / 2, 2) for p in panel.patches]


def size_in_mm(panel):
    figure = panel.figure
    return np.array(panel.get_position().size) * figure.get_size_inches() * 25.4


def test_signal_and_scale(signal):
    display = draw(signal, start=5.0, duration=10.0, lead_names=["MLII", "V1"])
    assert display.axes_.shape == (1, 2)
    for lead, panel in enumerate(display.axes_[0]):
        time, values = panel.lines[0].get_data()
        np.testing.assert_allclose(time, np.arange(500, 1500) / FS)
        np.testing.assert_allclose(values, signal[lead, 500:1500])
        width, height = size_in_mm(panel)
        assert width == pytest.approx(10 * 25)
        assert height == pytest.approx(np.ptp(panel.get_ylim()) * 10)
        assert panel.get_aspect() == pytest.approx(10 / 25)
    assert display.ax_.get_ylabel() == "MLII (mV)"
    assert display.axes_[0, 1].get_ylabel() == "V1 (mV)"
    assert display.axes_[0, 1].get_xlabel() == "time (s)"
    assert display.ax_.get_title(loc="right").endswith("25 mm/s, 10 mm/mV")


def test_lines_of_the_paper(signal):
    panel = draw(signal, start=5.0, duration=10.0).axes_[0, 1]  # the lower lead
    for axis, fine, bold in ((panel.xaxis, 0.04, 0.2), (panel.yaxis, 0.1, 0.5)):
        low, high = axis.get_view_interval()
        bold_lines = axis.get_ticklocs()
        all_lines = np.sort(np.concatenate([bold_lines, axis.get_ticklocs(minor=True)]))
        for lines, spacing in ((bold_lines, bold), (all_lines, fine)):
            first, last = np.ceil(low / spacing - 1e-6), np.floor(high / spacing + 1e-6)
            np.testing.assert_allclose(lines, np.arange(first, last + 1) * spacing, atol=1e-9)
    panel.figure.canvas.draw()
    named = [label.get_text() for label in panel.get_xticklabels() if label.get_text()]
    assert named == [str(second) for second in range(5, 16)]
    bold, fine = (ticks[0].gridline for ticks in (panel.xaxis.majorTicks, panel.xaxis.minorTicks))
    assert bold.get_linewidth() > fine.get_linewidth()
    assert sum(to_rgb(bold.get_color())) < sum(to_rgb(fine.get_color()))  # darker


def test_labels_and_differences(signal):
    display = draw(signal, start=0.0, duration=20.0, row_duration=10.0)
    assert display.differs.tolist() == [False, True, False, False]  # the last beat is outside
    assert texts_of(display.label_texts_) == [(1.5, "N"), (4.5, "V"), (10.5, "N"), (13.5, "S")]
    assert texts_of(display.predicted_texts_) == [
        (1.5, "N"),
        (4.5, "N"),
        (10.5, "N"),
        (13.5, "S"),
    ]
    # Only the wrong prediction is boxed, bold and marked in both leads of its row.
    boxed = [text.get_bbox_patch() is not None for text in display.predicted_texts_]
    assert boxed == [False, True, False, False]
    assert display.predicted_texts_[1].get_fontweight() == "bold"
    assert [[marked(panel) for panel in row] for row in display.axes_] == [
        [[4.5], [4.5]],
        [[], []],
    ]
    assert display.axes_[0, 0].patches[0].get_hatch()  # visible without colour
    assert display.ax_.get_title(loc="right").startswith("1 of 4 predictions differ")
    # Annotations are above predictions, and both above the signal.
    above, below = (
        texts[1].get_position()[1] for texts in (display.label_texts_, display.predicted_texts_)
    )
    assert above > below > signal[0].max()


def test_rows_of_a_long_section(signal):
    display = draw(signal, duration=None, row_duration=10.0)
    assert display.axes_.shape == (3, 2)
    for row, panel in enumerate(display.axes_[:, 0]):
        assert panel.get_xlim() == (10 * row, 10 * row + 10)
        assert panel.lines[0].get_xdata()[0] == 10 * row
    assert len(display.axes_[2, 0].lines[0].get_xdata()) == 500  # half a row
    assert texts_of(display.label_texts_)[-1] == (23.5, "N")
    bottoms = [panel.get_position().y0 for panel in display.axes_.ravel()]
    assert bottoms == sorted(bottoms, reverse=True)
    tops = [panel.get_position().y1 for panel in display.axes_.ravel()]
    assert all(top < bottom for top, bottom in zip(tops[1:], bottoms))  # no overlap


def test_fewer_fields(signal):
    positions = draw(signal[0], labels=None, predicted=None)
    marks = positions.ax_.lines[1]
    np.testing.assert_allclose(marks.get_xdata(), PEAKS[:2] / FS)
    assert not positions.label_texts_
    predicted = draw(signal[0], labels=None)
    assert texts_of(predicted.predicted_texts_) == [(1.5, "N"), (4.5, "N")]
    assert not predicted.differs.any()
    assert not marked(predicted.ax_)
    nothing = RecordDisplay(signal[0], FS).plot()
    assert len(nothing.ax_.lines) == 1
    assert nothing.ax_.get_ylabel() == "amplitude (mV)"


def test_missing_samples_leave_a_gap(signal):
    signal[0, 100:200] = np.nan
    panel = draw(signal).ax_
    assert np.isnan(panel.lines[0].get_ydata()).sum() == 100
    assert np.isfinite(panel.get_ylim()).all()


def test_draws_on_given_axes(signal):
    figure, axes = plt.subplots(2)
    display = draw(signal, ax=axes)
    assert display.axes_.ravel().tolist() == axes.tolist()
    assert display.figure_ is figure
    with pytest.raises(ValueError, match="ax holds 1 axes; expected 2: 1 rows times 2 leads"):
        draw(signal, ax=axes[0])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"start": 30}, "select no sample of a recording of 25.00 s"),
        ({"labels": LABELS[1:]}, r"labels has shape \(4,\) and r_peaks \(5,\)"),
        ({"r_peaks": None}, "labels and predicted need r_peaks"),
        ({"labels": [None, *LABELS[1:]]}, "labels holds missing values"),
        ({"row_duration": 60}, "row_duration=60; expected more than 0 and at most 30 s"),
        ({"lead_names": ["MLII"]}, "lead_names has 1 names; expected 2"),
    ],
)
def test_bad_input(signal, changes, message):
    with pytest.raises(ValueError, match=message):
        draw(signal, **changes)


def test_signal_that_is_not_in_mv(signal):
    with pytest.raises(ValueError, match=r"expected at most 50 mV\. Convert it to mV"):
        draw(signal * 200)
    with pytest.raises(ValueError, match=r"got \(1, 2, 2500\)"):
        draw(signal[None])
