"""Tests of the styles of classes."""

from __future__ import annotations

from ecgclf.plots import class_styles


def test_seven_classes_differ_in_everything():
    styles = class_styles("NSVFQAB").values()
    for name in ("color", "linestyle", "marker"):
        assert len({str(style[name]) for style in styles}) == 7


def test_49_classes_differ():
    styles = class_styles(range(49)).values()
    assert len({str(style) for style in styles}) == 49
