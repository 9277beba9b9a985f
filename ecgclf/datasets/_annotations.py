"""Annotation files in the MIT format, and errors of files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

# Codes of the format: the last code of an annotation, codes of additional words, and the code
# of a note. A note at sample 0 may define symbols or a time resolution.
_LAST_CODE, _SKIP, _AUX, _NOTE = 49, 59, 63, 22


class RecordError(ValueError):
    """Error raised if a file of a record is damaged, incomplete or not supported."""


class LeadError(ValueError):
    """Error raised if a file does not have the leads that were asked for."""


@contextmanager
def explain_damage(path: Path) -> Iterator[None]:
    """Convert the errors of any type that damaged bytes cause to a RecordError."""
    try:
        yield
    except (RecordError, LeadError, FileNotFoundError, ImportError):
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise RecordError(
            f"{path} cannot be read ({type(error).__name__}: {error}). Download it again."
        ) from error


def annotations_within(file: Path, n_samples: int) -> tuple[NDArray[np.int64], NDArray[np.str_]]:
    """Read annotations, and check that there are some and that they lie within the record."""
    if not file.is_file():
        raise FileNotFoundError(f"{file} is missing. Check the path, or download it again.")
    try:
        sample, symbol = read_annotations(file)
    except Exception as error:
        raise RecordError(
            f"{file} is not a readable annotation file: {error}. Download it again."
        ) from error
    if not len(sample):
        raise RecordError(f"{file} contains no annotations. Download it again.")
    # A beat at the very end is valid: record 860 of svdb has one.
    outside = (sample < 0) | (sample > n_samples)
    if outside.any():
        at = int(sample[outside][0])
        raise RecordError(
            f"{file} has an annotation at sample {at:,}, but the record has {n_samples:,} "
            "samples. Download both again."
        )
    return sample, symbol


def read_annotations(file: Path) -> tuple[NDArray[np.int64], NDArray[np.str_]]:
    """Read the positions (in samples) and symbols of the annotations of a file in the MIT format.

    ``wfdb.rdann`` decodes a file word by word in Python, which takes longer than reading the
    signals of the record and cutting all its beats. numpy is 20 times as fast. Files that
    define symbols or a time resolution are read by ``wfdb.rdann``.

    A file consists of little-endian words of 16 bits: the code in the upper six, the samples
    since the previous annotation in the lower ten. Codes from 59 on add to an annotation, and
    a zero word ends the file; see the WFDB Applications Guide, annot(5).

    A file without an end mark, of which a part is missing, raises a ValueError.
    """
    content = file.read_bytes()
    words = np.frombuffer(content, dtype="<u2", count=len(content) // 2)
    codes = (words >> 10).astype(np.uint16)
    is_payload, skipped, end = _scan(words, codes)
    if end is None:
        raise ValueError("it has no end mark, so a part of it is missing")

    words, codes = words[:end], codes[:end]
    is_annotation = ~is_payload[:end] & (codes < _SKIP)
    own = codes[is_annotation]
    if np.any(own > _LAST_CODE) or np.any(own == 0):
        return _read_with_wfdb(file)
    step = np.where(is_annotation, words & 0x3FF, 0).astype(np.int64)
    for at, samples in skipped:
        step[at] = samples
    sample = np.cumsum(step)[is_annotation]
    if len(own) and own[0] == _NOTE and sample[0] == 0:
        return _read_with_wfdb(file)
    return sample, _symbols()[own]


def _scan(
    words: NDArray[np.uint16], codes: NDArray[np.uint16]
) -> tuple[NDArray[np.bool_], list[tuple[int, int]], int | None]:
    """Find the payload words of SKIP and AUX, the skipped samples, and the end mark.

    Only SKIP, AUX and zero words are visited. They must be visited in order, because a word
    that looks like one of them may be in the payload of another.
    """
    is_payload = np.zeros(len(words), dtype=bool)
    skipped: list[tuple[int, int]] = []
    resume = 0
    for at in np.flatnonzero((codes == _SKIP) | (codes == _AUX) | (words == 0)).tolist():
        if at < resume:
            continue
        if words[at] == 0:
            return is_payload, skipped, at
        if codes[at] == _SKIP:
            resume = at + 3
            if resume > len(words):
                break
            # A signed number of 32 bits, the high half first.
            high, low = int(words[at + 1]), int(words[at + 2])
            skipped.append((at, (high << 16 | low) - (high >> 15 << 32)))
        else:
            resume = at + 1 + ((int(words[at]) & 0x3FF) + 1) // 2
        is_payload[at + 1 : resume] = True
    return is_payload, skipped, None


def _read_with_wfdb(file: Path) -> tuple[NDArray[np.int64], NDArray[np.str_]]:
    import wfdb

    annotation = wfdb.rdann(str(file.with_suffix("")), file.suffix.removeprefix("."))
    return np.asarray(annotation.sample, np.int64), np.asarray(annotation.symbol, np.str_)


@cache
def _symbols() -> NDArray[np.str_]:
    """Return the symbol of each annotation code."""
    from wfdb.io.annotation import ann_label_table

    symbols = np.full(_LAST_CODE + 1, " ", dtype="U1")
    symbols[ann_label_table["label_store"].to_numpy()] = ann_label_table["symbol"].to_numpy()
    return symbols
