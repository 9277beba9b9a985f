"""Read the signal files of a record.

The formats of the MIT-BIH and PTB records, 212 with two signals and 16, are decoded here in
one pass; ``wfdb.rdrecord`` takes several over the same memory and parses the header once
more, which would be the longest part of loading a record. It reads every other format, and
tests hold both readings against each other.

The formats: WFDB Applications Guide, signal(5).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import wfdb
from numpy.typing import NDArray


def read_signals(header: wfdb.Record, folder: Path) -> NDArray[np.integer]:
    """Read all signals of a record in ADC units.

    Parameters
    ----------
    header : wfdb.Record
        From `wfdb.rdheader`, of one segment and one sample a frame.
    folder : Path
        Where the files of the record lie; they are known to be there and long enough.

    Returns
    -------
    ndarray of int, shape (n_signals, n_samples)
    """
    files = list(dict.fromkeys(header.file_name))
    shifted = any(header.byte_offset) or any(header.skew)
    if shifted or not header.sig_len or not all(_is_fast(header, file) for file in files):
        content = wfdb.rdrecord(str(folder / header.record_name), physical=False)
        return np.ascontiguousarray(content.d_signal.T)
    adc = np.empty((header.n_sig, header.sig_len), dtype=np.int16)
    for file in files:
        rows = [row for row, name in enumerate(header.file_name) if name == file]
        decode = _decode_212 if header.fmt[rows[0]] == "212" else _decode_16
        # Signals of one file stand together, so this is a view and not a copy.
        decode(folder / file, adc[rows[0] : rows[-1] + 1])
    return adc


def _is_fast(header: wfdb.Record, file: str) -> bool:
    """Tell whether a signal file is in a format decoded here."""
    rows = [row for row, name in enumerate(header.file_name) if name == file]
    formats = {header.fmt[row] for row in rows}
    together = rows[-1] - rows[0] + 1 == len(rows)
    return together and (formats == {"16"} or (formats == {"212"} and len(rows) == 2))


def _decode_212(file: Path, adc: NDArray[np.int16]) -> None:
    """Decode pairs of 12-bit samples, three bytes a pair, into the two rows of `adc`."""
    n_samples = adc.shape[1]
    triplets = np.fromfile(file, dtype=np.uint8, count=3 * n_samples).reshape(-1, 3)
    low, middle, high = (column.astype(np.int16) for column in triplets.T)
    # The middle byte holds the upper four bits of both samples. Each sample is put together
    # at the upper end of 16 bits, so that shifting it down extends its sign.
    adc[0] = (middle << 12 | low << 4) >> 4
    adc[1] = ((middle & 0xF0) << 8 | high << 4) >> 4


def _decode_16(file: Path, adc: NDArray[np.int16]) -> None:
    """Decode little-endian samples of 16 bits into the rows of `adc`."""
    samples = np.fromfile(file, dtype="<i2", count=adc.size)
    adc[:] = samples.reshape(adc.shape[1], adc.shape[0]).T
