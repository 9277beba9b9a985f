"""Read an annotation file in the MIT format.

``wfdb.rdann`` reads such a file word by word in Python, which takes longer than reading
the record's signals and cutting all its beats; for a file without surprises, numpy does
it 20 times as fast. Files with anything unusual in them are left to ``wfdb.rdann``, and a
test holds both readings of every MIT-BIH record against each other.

The format (WFDB Applications Guide, annot(5)): little-endian words of 16 bits, the upper
six the code, the lower ten the samples since the annotation before. Codes from 59 on are
no annotations but belong to one; a zero word ends the file.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import wfdb
from numpy.typing import NDArray
from wfdb.io.annotation import ann_label_table

# Codes that are no annotations of their own.
SKIP, AUX = 59, 63
#: An annotation of this code holds a note, at sample 0 perhaps the definition of new
#: symbols or of another time resolution.
NOTE = 22
LAST_CODE = 49

_SYMBOLS = np.full(LAST_CODE + 1, " ", dtype="U1")
_SYMBOLS[ann_label_table["label_store"].to_numpy()] = ann_label_table["symbol"].to_numpy()


def read_annotations(file: Path) -> tuple[NDArray[np.int64], NDArray[np.str_]]:
    """Read the positions and symbols of all annotations.

    Parameters
    ----------
    file : Path
        The annotation file, such as ``100.atr``.

    Returns
    -------
    sample : ndarray of int64, shape (n_annotations,)
        In samples from the start of the record.
    symbol : ndarray of str, shape (n_annotations,)

    Raises
    ------
    ValueError
        If the file does not end as an annotation file must: it was cut short.
    """
    content = file.read_bytes()
    words = np.frombuffer(content, dtype="<u2", count=len(content) // 2)
    codes = (words >> 10).astype(np.uint16)
    is_payload, skipped, end = _walk(words, codes)
    if end is None:
        raise ValueError("it ends without the end mark, so a part of it is missing")

    words, codes = words[:end], codes[:end]
    own = ~is_payload[:end]
    is_annotation = own & (codes < SKIP)
    first = codes[is_annotation][:1]
    if np.any(codes[is_annotation] > LAST_CODE) or np.any(codes[is_annotation] == 0):
        return _read_with_wfdb(file)
    step = np.where(is_annotation, words & 0x3FF, 0).astype(np.int64)
    for at, samples in skipped:
        step[at] = samples
    sample = np.cumsum(step)[is_annotation]
    if len(first) and first[0] == NOTE and sample[0] == 0:
        return _read_with_wfdb(file)
    return sample, _SYMBOLS[codes[is_annotation]]


def _walk(
    words: NDArray[np.uint16], codes: NDArray[np.uint16]
) -> tuple[NDArray[np.bool_], list[tuple[int, int]], int | None]:
    """Tell payload words (of SKIP and AUX) from the others, and find the end mark.

    Only SKIP, AUX and zero words are visited: a word that looks like one of them may lie in
    the payload of another, so they must be taken in order.
    """
    is_payload = np.zeros(len(words), dtype=bool)
    skipped: list[tuple[int, int]] = []
    resume = 0
    for at in np.flatnonzero((codes == SKIP) | (codes == AUX) | (words == 0)).tolist():
        if at < resume:
            continue
        if words[at] == 0:
            return is_payload, skipped, at
        if codes[at] == SKIP:
            resume = at + 3
            if resume > len(words):
                break
            # The high half comes first; the whole is a signed number.
            high, low = int(words[at + 1]), int(words[at + 2])
            skipped.append((at, (high << 16 | low) - (high >> 15 << 32)))
        else:
            resume = at + 1 + ((int(words[at]) & 0x3FF) + 1) // 2
        is_payload[at + 1 : resume] = True
    return is_payload, skipped, None


def _read_with_wfdb(file: Path) -> tuple[NDArray[np.int64], NDArray[np.str_]]:
    """Read an annotation file in full generality."""
    annotation = wfdb.rdann(str(file.with_suffix("")), file.suffix.removeprefix("."))
    return (
        np.asarray(annotation.sample, dtype=np.int64),
        np.asarray(annotation.symbol, dtype=np.str_),
    )
