"""What all pictures share: the drawing library, colours and line styles."""

from __future__ import annotations

from collections.abc import Iterable
from types import ModuleType
from typing import Any

from ecgclf._extras import import_extra

#: Colours that colour-blind readers tell apart: Okabe and Ito, "Color universal design",
#: 2008, without the yellow, which is too pale for lines on white.
COLORS: dict[str, str] = {
    "black": "#000000",
    "orange": "#E69F00",
    "sky blue": "#56B4E9",
    "green": "#009E73",
    "blue": "#0072B2",
    "vermilion": "#D55E00",
    "purple": "#CC79A7",
}

#: What tells lines and dots apart without colour.
_LINES = ("-", "--", "-.", ":", (0, (6, 1)), (0, (4, 1, 1, 1, 1, 1)), (0, (1, 3)))
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_ORDER = ("black", "vermilion", "blue", "orange", "green", "purple", "sky blue")


def class_styles(labels: Iterable[Any]) -> dict[Any, dict[str, Any]]:
    """Give each class a colour, and what tells it apart where colours are not seen.

    Parameters
    ----------
    labels : iterable

    Returns
    -------
    dict of label to dict
        With ``color``, ``linestyle`` and ``marker``. Seven classes differ in all three,
        49 in their combination.

    Examples
    --------
    >>> class_styles(["N", "V"])["V"]
    {'color': '#D55E00', 'linestyle': '--', 'marker': 's'}
    """
    styles = {}
    for i, label in enumerate(labels):
        color, other = i % 7, (i + i // 7) % 7
        styles[label] = {
            "color": COLORS[_ORDER[color]],
            "linestyle": _LINES[other],
            "marker": _MARKERS[other],
        }
    return styles


def pyplot(caller: str) -> ModuleType:
    """Import matplotlib, which only pictures need, when one is drawn.

    Parameters
    ----------
    caller : str
        Who needs it, for the message.

    Returns
    -------
    module
        ``matplotlib.pyplot``.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    return import_extra("matplotlib.pyplot", caller)
