"""Command-line arguments shared by the benchmarks."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable
from pathlib import Path


def make_parser(
    doc: str,
    *,
    output: str | None = None,
    seeds: Iterable[int] | None = None,
    only: str | None = None,
) -> argparse.ArgumentParser:
    """Make a parser with the arguments that most benchmarks take.

    Parameters
    ----------
    doc : str
        Docstring of the script. Its first line is the description.
    output : str, optional
        Default name of the result file. Without it there is no ``--output``.
    seeds : iterable of int, optional
        Default of ``--seeds``. Without it there is no ``--seeds``.
    only : str, optional
        What ``--only`` selects, in the plural. Without it there is no ``--only``.

    Returns
    -------
    argparse.ArgumentParser
        It always takes ``--data``.
    """
    parser = argparse.ArgumentParser(description=doc.partition("\n")[0])
    parser.add_argument("--data", type=Path, help="folder of the MIT-BIH records")
    if seeds is not None:
        parser.add_argument("--seeds", type=int, nargs="+", default=list(seeds))
    if only is not None:
        parser.add_argument("--only", nargs="*", help=f"{only} with a word that starts so")
    if output is not None:
        parser.add_argument("--output", default=output, help="name of the result file")
    return parser


def fraction(text: str) -> float:
    """Parse a share greater than 0 and at most 1."""
    value = float(text)
    if not 0 < value <= 1:
        raise argparse.ArgumentTypeError(f"{text}: expected more than 0 and at most 1")
    return value


def select_names(names: Iterable[str], parts: Iterable[str] | None) -> list[str]:
    """Select the names in which some word starts with one of the parts.

    Parameters
    ----------
    names : iterable of str
        All names.
    parts : iterable of str or None
        Values of ``--only``, in any case. None or empty selects all names.

    Returns
    -------
    list of str
        The selected names in their original order.

    Raises
    ------
    SystemExit
        If no name matches.

    Examples
    --------
    >>> select_names(["our CNN", "10 Fourier network"], ["our"])
    ['our CNN']
    """
    names = list(names)
    if not parts:
        return names
    pattern = re.compile("|".join(rf"\b{re.escape(part)}" for part in parts), re.IGNORECASE)
    found = [name for name in names if pattern.search(name)]
    if not found:
        raise SystemExit(f"No name has a word that starts with {', '.join(parts)}: {names}")
    return found
