"""The order in which classes are shown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ecgclf.datasets._labels import AAMI_CLASSES


def in_class_order(labels: Iterable[Any]) -> list[Any]:
    """Sort class labels for reading.

    Parameters
    ----------
    labels : iterable
        Labels of one sortable type; numpy scalars become plain Python ones.

    Returns
    -------
    list
        The distinct labels: in the order N S V F Q if all of them are AAMI classes,
        sorted otherwise.

    Examples
    --------
    >>> in_class_order(["V", "N", "F", "N"])
    ['N', 'V', 'F']
    >>> in_class_order([3, 1, 2])
    [1, 2, 3]
    """
    plain = {getattr(label, "item", lambda label=label: label)() for label in labels}
    if plain <= set(AAMI_CLASSES):
        return sorted(plain, key=AAMI_CLASSES.index)
    return sorted(plain)
