"""Read the CSV files of the Kaggle set, in which every number takes 24 bytes.

They were printed with ``%.18e``: ``9.234567890123456789e-01,``. With every cell in the same
place, numpy reads eight digits at once, in half of the time that a general parser takes.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

#: A number and the comma or line feed behind it.
_CELL = 25

#: Rows that are worked on at once: as many as the caches of a processor hold.
_BLOCK = 200

# Beside digits, a cell has a point, an "e" and a sign. These turn them into the digits 0, 0, and
# 0 for "-" or 6 for "+". What turns into another digit is found by that.
_POINT = np.uint64((ord(".") ^ ord("0")) << 8)
_E_AND_SIGN = np.uint64((ord("e") ^ ord("0")) << 32 | (ord("-") ^ ord("0")) << 40)

#: What the last four digits of a cell, "0", sign and exponent, multiply 15 digits with.
_SCALE = np.full(10_000, np.nan)
_SCALE[:100] = [float(f"1e-{exponent + 14}") for exponent in range(100)]
_SCALE[600:700] = [float(f"1e{exponent - 14}") for exponent in range(100)]


def read_printed_floats(file: Path, n_columns: int) -> NDArray[np.float32] | None:
    """Read a table of numbers of which every one is printed with ``%.18e`` and not negative.

    Parameters
    ----------
    file : Path
    n_columns : int
        In each row.

    Returns
    -------
    ndarray of float32, shape (n_rows, n_columns), or None
        None if anything in the file is not of this form.
    """
    row = n_columns * _CELL
    n_rows, rest = divmod(file.stat().st_size, row)
    if rest or not n_rows:
        return None
    table = np.empty((n_rows, n_columns), dtype=np.float32)
    buffer = np.empty(_BLOCK * row, dtype=np.uint8)
    ends = np.full(n_columns, ord(","), dtype=np.uint8)
    ends[-1] = ord("\n")
    with file.open("rb") as stream:
        for start in range(0, n_rows, _BLOCK):
            part = table[start : start + _BLOCK]
            text = buffer[: len(part) * row]
            if stream.readinto(text.data) != len(text):
                return None
            if (text[_CELL - 1 :: _CELL].reshape(part.shape) != ends).any():
                return None
            numbers = _numbers(text)
            if numbers is None:
                return None
            part[:] = numbers.reshape(part.shape)
    return table


def _numbers(text: NDArray[np.uint8]) -> NDArray[np.float64] | None:
    """Read cells one after another; None if one is no number of the form."""
    cells = text.reshape(-1, _CELL)
    first, second, third = (
        np.ndarray(len(cells), "<u8", text, offset=start, strides=(_CELL,)).copy()
        for start in (0, 8, 16)
    )
    first ^= _POINT
    third ^= _E_AND_SIGN
    if not all(_are_digits(words) for words in (first, second, third)):
        return None
    if np.bitwise_or.reduce(first) & np.uint64(0x0F00):
        return None  # another digit than the one that the point has become
    leading, following, ending = (_eight_digits(words) for words in (first, second, third))
    # "1.234567" has become 10234567.
    units = cells[:, 0] - np.uint8(ord("0"))
    mantissa = leading.astype(np.float64)
    mantissa -= units * 9e6
    mantissa *= 1e8
    mantissa += following
    mantissa *= _SCALE[(ending % np.uint64(10_000)).astype(np.intp)]
    return None if np.isnan(mantissa).any() else mantissa


def _are_digits(words: NDArray[np.uint64]) -> bool:
    """Tell whether all eight bytes of all words are digits."""
    beyond_9 = words + np.uint64(0x4646464646464646)
    beyond_9 |= words - np.uint64(0x3030303030303030)
    return not np.any(np.bitwise_or.reduce(beyond_9) & np.uint64(0x8080808080808080))


def _eight_digits(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Read eight digits, the first in the lowest byte, by joining neighbours three times."""
    words = words & np.uint64(0x0F0F0F0F0F0F0F0F)
    pairs = words * np.uint64(10)
    words >>= np.uint64(8)
    pairs += words
    rest = pairs >> np.uint64(16)
    mask = np.uint64(0x000000FF000000FF)
    pairs &= mask
    rest &= mask
    pairs *= np.uint64(100 + (1_000_000 << 32))
    rest *= np.uint64(1 + (10_000 << 32))
    pairs += rest
    pairs >>= np.uint64(32)
    return pairs
