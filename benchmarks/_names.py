"""Which of its networks or models a benchmark is asked for."""

from __future__ import annotations

import re
from collections.abc import Iterable


def asked_for(names: Iterable[str], parts: Iterable[str] | None) -> list[str]:
    """Return the names in which a word begins with one of the parts, or all without parts.

    Parameters
    ----------
    names : iterable of str
    parts : iterable of str or None
        What ``--only`` was given. Upper and lower case are one.

    Raises
    ------
    SystemExit
        Nothing is named so.

    Examples
    --------
    >>> asked_for(["our CNN", "10 Fourier network"], ["our"])
    ['our CNN']
    """
    names = list(names)
    if not parts:
        return names
    begins = re.compile("|".join(rf"\b{re.escape(part)}" for part in parts), re.IGNORECASE)
    found = [name for name in names if begins.search(name)]
    if not found:
        raise SystemExit(f"No name has a word that begins with {', '.join(parts)}: {names}")
    return found
