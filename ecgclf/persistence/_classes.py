"""The classes that a file may name. Nothing else is ever looked up."""

from __future__ import annotations

from importlib import import_module

import ecgclf

#: Estimators and where to find them. The package itself knows their names.
ESTIMATORS = dict.fromkeys((name for name in ecgclf.__all__ if name.startswith("ECG")), "ecgclf")

#: Objects that are parameters of estimators.
PARTS = {
    **dict.fromkeys(
        "AmplitudeScaling BaselineWander Compose GaussianNoise LeadDropout TimeShift "
        "TimeWarp".split(),
        "ecgclf.augmentation",
    ),
    "EffectiveNumber": "ecgclf.estimators",
}


def class_named(name: str, table: dict[str, str]) -> type:
    """Look up a class in one of the tables above.

    Raises
    ------
    ValueError
        If it is not there.

    Examples
    --------
    >>> class_named("EffectiveNumber", PARTS).__name__
    'EffectiveNumber'
    """
    if name not in table:
        raise ValueError(f"{name!r} is none of {sorted(table)}")
    return getattr(import_module(table[name]), name)


def belongs(value: object, table: dict[str, str]) -> bool:
    """Tell whether the class of `value` itself, not a base of it, is in a table.

    Examples
    --------
    >>> belongs("EffectiveNumber", PARTS)
    False
    """
    name = type(value).__name__
    return name in table and class_named(name, table) is type(value)
