"""WFDB records: headers, signals and annotations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import wfdb

#: Bytes per sample of a signal file, as a fraction, by WFDB format. Compressed formats are
#: not listed, because their size varies.
_BYTES_PER_SAMPLE = {
    "8": (1, 1),
    "16": (2, 1),
    "24": (3, 1),
    "32": (4, 1),
    "61": (2, 1),
    "80": (1, 1),
    "160": (2, 1),
    "212": (3, 2),
    "310": (4, 3),
    "311": (4, 3),
}

#: Bits per sample of the WFDB formats in which the lowest value marks a missing sample.
_BITS = {"16": 16, "24": 24, "32": 32, "61": 16, "80": 8, "160": 16, "212": 12}

#: Millivolts per physical unit.
_MILLIVOLTS = {"mV": 1.0, "uV": 1e-3, "V": 1e3}

# Codes of the MIT annotation format: the last code of an annotation, codes of additional
# words, and the code of a note. A note at sample 0 may define symbols or a time resolution.
_LAST_CODE, _SKIP, _AUX, _NOTE = 49, 59, 63, 22


class RecordError(ValueError):
    """Error raised if a file of a record is damaged, incomplete or not supported."""


@dataclass(frozen=True)
class Record:
    """Recording read from WFDB files.

    Attributes
    ----------
    name : str
        Name of the record, such as ``"100"``.
    header : Path
        Header file.
    fs : float
        Sampling rate in Hz.
    leads : tuple of str
        Names of the leads, in the order of `adc`.
    adc : ndarray of int, shape (n_leads, n_samples)
        Signal in ADC units.
    gain, baseline : ndarray of shape (n_leads,)
        ADC units per mV, and the ADC value of 0 mV.
    n_missing : ndarray of int, shape (n_leads,)
        Number of samples marked as missing.
    comments : tuple of str
        Comment lines of the header.
    sample : ndarray of int, shape (n_annotations,)
        Positions of all annotations, of beats and others.
    symbol : ndarray of str, shape (n_annotations,)
        Symbols of the annotations.
    """

    name: str
    header: Path
    fs: float
    leads: tuple[str, ...]
    adc: NDArray[np.integer]
    gain: NDArray[np.float64]
    baseline: NDArray[np.float64]
    n_missing: NDArray[np.int64]
    comments: tuple[str, ...]
    sample: NDArray[np.int64]
    symbol: NDArray[np.str_]

    @property
    def n_samples(self) -> int:
        """Length of the record in samples."""
        return self.adc.shape[1]

    def pick(self, leads: Sequence[str]) -> Record:
        """Select leads.

        Parameters
        ----------
        leads : sequence of str
            Names of the leads, in any case.

        Returns
        -------
        Record
            With the leads in the given order.

        Raises
        ------
        ValueError
            If the record does not have a lead, or marks samples of it as missing.
        """
        known = [lead.lower() for lead in self.leads]
        unknown = [lead for lead in leads if lead.lower() not in known]
        if unknown:
            raise ValueError(
                f"Record {self.name} ({self.header}) has no lead {_quoted(unknown)}; it has "
                f"{_quoted(self.leads)}. Choose one of these, or leave the record out."
            )
        rows = [known.index(lead.lower()) for lead in leads]
        gaps = [self.leads[row] for row in rows if self.n_missing[row]]
        if gaps:
            raise RecordError(
                f"Record {self.name} ({self.header}) marks samples of lead {_quoted(gaps)} as "
                "missing. Choose another lead, or leave the record out."
            )
        if rows == list(range(len(self.leads))):
            return self
        return replace(
            self,
            leads=tuple(self.leads[row] for row in rows),
            adc=self.adc[rows],
            gain=self.gain[rows],
            baseline=self.baseline[rows],
            n_missing=self.n_missing[rows],
        )

    def require_rate(self, fs: float) -> None:
        """Raise a RecordError unless the record has the sampling rate `fs` of its database."""
        if self.fs != fs:
            raise RecordError(
                f"{self.header} gives a sampling rate of {self.fs:g} Hz, but the records of this "
                f"database have {fs:g} Hz. Check that this is the right folder."
            )

    def millivolts(self) -> NDArray[np.float32]:
        """Compute the signal in mV, float32 of shape (n_leads, n_samples)."""
        signal = self.adc.astype(np.float32)
        signal -= self.baseline.astype(np.float32)[:, np.newaxis]
        signal /= self.gain.astype(np.float32)[:, np.newaxis]
        return signal


def read_record(folder: Path, name: str, *, annotator: str | None = "atr") -> Record:
    """Read a record with all its leads, and check it against its header.

    The size of every signal file and the checksum of every signal are compared with the
    header.

    Parameters
    ----------
    folder : Path
        Folder of the files.
    name : str
        Name of the record. Its header is ``<name>.hea``.
    annotator : str or None, default="atr"
        Suffix of the annotation file; None reads no annotations.

    Returns
    -------
    Record

    Raises
    ------
    FileNotFoundError
        If a file is missing.
    RecordError
        If a signal file is shorter than its header states, a checksum fails, the annotation
        file is empty or truncated, or an annotation lies beyond the end of the record.
    """
    import wfdb

    header_file = folder / f"{name}.hea"
    _require(header_file, name)
    try:
        header = wfdb.rdheader(str(folder / name))
    except Exception as error:
        raise RecordError(
            f"{header_file} is not a readable WFDB header ({error}). {_again(name)}"
        ) from error
    is_supported = isinstance(header, wfdb.Record) and header.n_sig
    if not is_supported or any(n != 1 for n in header.samps_per_frame):
        raise RecordError(
            f"{header_file} describes a record without signals, of several segments, or with "
            "leads at several rates, which is not supported. Convert it with wfdb.rdrecord and "
            "wfdb.wrsamp."
        )
    _check_sizes(header, folder)

    adc = read_signals(header, folder)
    _check_sums(header, header_file, adc)
    sample, symbol = np.empty(0, dtype=np.int64), np.empty(0, dtype="U1")
    if annotator is not None:
        sample, symbol = _annotations_within(folder / f"{name}.{annotator}", name, adc.shape[1])
    return Record(
        name=name,
        header=header_file,
        fs=float(header.fs),
        leads=tuple(header.sig_name),
        adc=adc,
        gain=np.array(header.adc_gain) / _millivolts_per_unit(header, header_file),
        baseline=np.array(header.baseline, dtype=np.float64),
        n_missing=np.array([_count_missing(*pair) for pair in zip(header.fmt, adc)]),
        comments=tuple(header.comments),
        sample=sample,
        symbol=symbol,
    )


def _check_sizes(header: wfdb.Record, folder: Path) -> None:
    """Raise an error if signal files are missing or shorter than the header states."""
    for file_name in dict.fromkeys(header.file_name):
        file = folder / file_name
        _require(file, header.record_name)
        signals = [i for i, f in enumerate(header.file_name) if f == file_name]
        fmt = header.fmt[signals[0]]
        if fmt not in _BYTES_PER_SAMPLE or not header.sig_len:
            continue
        numerator, denominator = _BYTES_PER_SAMPLE[fmt]
        n_values = header.sig_len * len(signals)
        needed = -(-n_values * numerator // denominator)
        needed += header.byte_offset[signals[0]] or 0
        size = file.stat().st_size
        if size < needed:
            raise RecordError(
                f"{file} is truncated: it has {size:,} bytes, but its header requires "
                f"{needed:,} ({len(signals)} signals of {header.sig_len:,} samples in format "
                f"{fmt}). {_again(header.record_name)}"
            )


def _check_sums(header: wfdb.Record, header_file: Path, adc: NDArray) -> None:
    """Raise a RecordError if a signal does not have the checksum of the header."""
    for i, (lead, samples) in enumerate(zip(header.sig_name, adc, strict=True)):
        stated = header.checksum[i]
        # A WFDB checksum is the sum of all samples in 16 bits.
        found = int(samples.sum(dtype=np.int16))
        if stated is not None and (found - stated) & 0xFFFF:
            raise RecordError(
                f"{header_file.with_name(header.file_name[i])} is damaged: the checksum of lead "
                f"{lead} is {found}, but {header_file.name} states {stated}. "
                f"{_again(header.record_name)}"
            )


def _count_missing(fmt: str, samples: NDArray[np.integer]) -> int:
    """Count the samples that a file marks as missing by the lowest value of its format."""
    mark = -(2 ** (_BITS[fmt] - 1)) if fmt in _BITS else None
    # The minimum is faster than comparing all samples.
    return 0 if mark is None or samples.min() > mark else int(np.sum(samples == mark))


def _annotations_within(
    file: Path, name: str, n_samples: int
) -> tuple[NDArray[np.int64], NDArray[np.str_]]:
    """Read annotations, and check that there are some and that they lie within the record."""
    _require(file, name)
    try:
        sample, symbol = read_annotations(file)
    except Exception as error:
        raise RecordError(
            f"{file} is not a readable annotation file: {error}. {_again(name)}"
        ) from error
    if not len(sample):
        raise RecordError(f"{file} contains no annotations. {_again(name)}")
    # A beat at the very end is valid: record 860 of svdb has one.
    outside = (sample < 0) | (sample > n_samples)
    if outside.any():
        at = int(sample[outside][0])
        raise RecordError(
            f"{file} has an annotation at sample {at:,}, but the record has {n_samples:,} "
            f"samples. {_again(name)}"
        )
    return sample, symbol


def _millivolts_per_unit(header: wfdb.Record, header_file: Path) -> NDArray[np.float64]:
    unknown = sorted({str(unit) for unit in header.units} - set(_MILLIVOLTS))
    if unknown:
        raise RecordError(
            f"{header_file} gives signals in {_quoted(unknown)}, expected one of "
            f"{_quoted(_MILLIVOLTS)}. Check that this is an ECG record."
        )
    return np.array([_MILLIVOLTS[unit] for unit in header.units])


def _require(file: Path, name: str) -> None:
    if not file.is_file():
        raise FileNotFoundError(
            f"{file} is missing, a file of record {name}. Check the path; fetch_mitbih() and "
            "fetch_ptbdb() download missing files."
        )


def _again(name: str) -> str:
    return f"Download record {name} again, with fetch_mitbih or fetch_ptbdb."


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(repr(name) for name in names)


def read_signals(header: wfdb.Record, folder: Path) -> NDArray[np.integer]:
    """Read all signals of a record in ADC units.

    The formats of the MIT-BIH and PTB records (212 with two signals, and 16) are decoded here
    in one pass, because ``wfdb.rdrecord`` would take most of the time of loading a record. It
    reads all other formats. The formats are described in the WFDB Applications Guide,
    signal(5).

    Parameters
    ----------
    header : wfdb.Record
        From `wfdb.rdheader`, of one segment and with one sample per frame.
    folder : Path
        Folder of the signal files, which exist and are long enough.

    Returns
    -------
    ndarray of int, shape (n_signals, n_samples)
    """
    import wfdb

    files = list(dict.fromkeys(header.file_name))
    shifted = any(header.byte_offset) or any(header.skew)
    if shifted or not header.sig_len or not all(_is_fast(header, file) for file in files):
        content = wfdb.rdrecord(str(folder / header.record_name), physical=False)
        return np.ascontiguousarray(content.d_signal.T)
    adc = np.empty((header.n_sig, header.sig_len), dtype=np.int16)
    for file in files:
        rows = [row for row, name in enumerate(header.file_name) if name == file]
        decode = _decode_212 if header.fmt[rows[0]] == "212" else _decode_16
        # The signals of one file are adjacent rows, so this is a view and not a copy.
        decode(folder / file, adc[rows[0] : rows[-1] + 1])
    return adc


def _is_fast(header: wfdb.Record, file: str) -> bool:
    """Return whether a signal file has a format that is decoded here."""
    rows = [row for row, name in enumerate(header.file_name) if name == file]
    formats = {header.fmt[row] for row in rows}
    adjacent = rows[-1] - rows[0] + 1 == len(rows)
    return adjacent and (formats == {"16"} or (formats == {"212"} and len(rows) == 2))


def _decode_212(file: Path, adc: NDArray[np.int16]) -> None:
    """Decode pairs of 12-bit samples, three bytes each, into the two rows of `adc`."""
    n_samples = adc.shape[1]
    triplets = np.fromfile(file, dtype=np.uint8, count=3 * n_samples).reshape(-1, 3)
    low, middle, high = (column.astype(np.int16) for column in triplets.T)
    # The middle byte contains the upper four bits of both samples. Each sample is assembled
    # in the upper 12 of 16 bits; shifting it down then extends its sign.
    adc[0] = (middle << 12 | low << 4) >> 4
    adc[1] = ((middle & 0xF0) << 8 | high << 4) >> 4


def _decode_16(file: Path, adc: NDArray[np.int16]) -> None:
    """Decode little-endian samples of 16 bits into the rows of `adc`."""
    samples = np.fromfile(file, dtype="<i2", count=adc.size)
    adc[:] = samples.reshape(adc.shape[1], adc.shape[0]).T


def read_annotations(file: Path) -> tuple[NDArray[np.int64], NDArray[np.str_]]:
    """Read the positions and symbols of all annotations of a file in the MIT format.

    ``wfdb.rdann`` decodes a file word by word in Python, which takes longer than reading the
    signals of the record and cutting all its beats. numpy is 20 times as fast. Files that
    define symbols or a time resolution are read by ``wfdb.rdann``.

    A file consists of little-endian words of 16 bits: the code in the upper six, the samples
    since the previous annotation in the lower ten. Codes from 59 on add to an annotation, and
    a zero word ends the file; see the WFDB Applications Guide, annot(5).

    Parameters
    ----------
    file : Path
        Annotation file, such as ``100.atr``.

    Returns
    -------
    sample : ndarray of int64, shape (n_annotations,)
        In samples from the start of the record.
    symbol : ndarray of str, shape (n_annotations,)

    Raises
    ------
    ValueError
        If the file has no end mark, so that a part of it is missing.
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
    return (
        np.asarray(annotation.sample, dtype=np.int64),
        np.asarray(annotation.symbol, dtype=np.str_),
    )


@cache
def _symbols() -> NDArray[np.str_]:
    """Return the symbol of each annotation code."""
    from wfdb.io.annotation import ann_label_table

    symbols = np.full(_LAST_CODE + 1, " ", dtype="U1")
    symbols[ann_label_table["label_store"].to_numpy()] = ann_label_table["symbol"].to_numpy()
    return symbols
