"""WFDB records: headers, signals and annotations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import wfdb

#: Bytes a sample takes in a signal file, as a fraction, by WFDB format. Compressed formats
#: are not listed: their size says nothing.
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

#: Bits of a sample, by those WFDB formats whose lowest value marks a missing sample.
_BITS = {"16": 16, "24": 24, "32": 32, "61": 16, "80": 8, "160": 16, "212": 12}

#: Millivolts in the physical units that ECG headers name.
_MILLIVOLTS = {"mV": 1.0, "uV": 1e-3, "V": 1e3}


class RecordError(ValueError):
    """A file of a record is damaged, incomplete or of a kind that cannot be read."""


@dataclass(frozen=True)
class Record:
    """One recording as it lies on the disk.

    Attributes
    ----------
    name : str
        Name of the record, such as ``"100"``.
    header : Path
        The header file it was read from.
    fs : float
        Sampling rate in Hz.
    leads : tuple of str
        Names of the leads, in the order of `adc`.
    adc : ndarray of int, shape (n_leads, n_samples)
        The signal in ADC units.
    gain, baseline : ndarray of shape (n_leads,)
        ADC units per mV, and the ADC value of 0 mV.
    n_missing : ndarray of int, shape (n_leads,)
        How many samples the file marks as missing.
    comments : tuple of str
        Comment lines of the header.
    sample : ndarray of int, shape (n_annotations,)
        Positions of all annotations, of beats and of anything else.
    symbol : ndarray of str, shape (n_annotations,)
        Their symbols.
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
        """Reduce the record to some of its leads.

        Parameters
        ----------
        leads : sequence of str
            Their names, in any case.

        Raises
        ------
        ValueError
            If the record lacks a lead, or marks samples of it as missing.
        """
        known = [lead.lower() for lead in self.leads]
        missing = [lead for lead in leads if lead.lower() not in known]
        if missing:
            raise ValueError(
                f"record {self.name} ({self.header}) has no lead {_quoted(missing)}; it has "
                f"{_quoted(self.leads)}: ask for one of these, or leave the record out"
            )
        rows = [known.index(lead.lower()) for lead in leads]
        gaps = [self.leads[row] for row in rows if self.n_missing[row]]
        if gaps:
            raise RecordError(
                f"record {self.name} ({self.header}) marks samples of lead {_quoted(gaps)} as "
                "missing; choose another lead, or leave the record out"
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
        """Refuse a record that is not at the rate of its database."""
        if self.fs != fs:
            raise RecordError(
                f"{self.header} states {self.fs:g} Hz, but the records of this database are at "
                f"{fs:g} Hz: is this the right folder?"
            )

    def millivolts(self) -> NDArray[np.float32]:
        """Signal in mV, float32 of shape (n_leads, n_samples)."""
        signal = self.adc.astype(np.float32)
        signal -= self.baseline.astype(np.float32)[:, np.newaxis]
        signal /= self.gain.astype(np.float32)[:, np.newaxis]
        return signal


def read_record(folder: Path, name: str, *, annotator: str | None = "atr") -> Record:
    """Read a record with all its leads and verify it against its header.

    Every signal file must have the size, and every signal the checksum, that the header
    states, also where only some leads are wanted afterwards.

    Parameters
    ----------
    folder : Path
        Where the files of the record lie.
    name : str
        Name of the record: its files are ``<name>.hea`` and those named there.
    annotator : str or None, default="atr"
        Ending of the annotation file; None reads no annotations.

    Returns
    -------
    Record

    Raises
    ------
    FileNotFoundError
        If one of the files is missing.
    RecordError
        If a signal file is shorter than its header says, a checksum fails, the annotation
        file is empty or cut short, or an annotation lies beyond the record's end.
    """
    import wfdb

    header_file = folder / f"{name}.hea"
    _require(header_file, name)
    try:
        header = wfdb.rdheader(str(folder / name))
    except Exception as error:
        raise RecordError(
            f"{header_file} is not a readable WFDB header ({error}); {_get_again(name)}"
        ) from error
    plain = isinstance(header, wfdb.Record) and header.n_sig
    if not plain or any(n != 1 for n in header.samps_per_frame):
        raise RecordError(
            f"{header_file} describes a record without signals, of several segments, or of "
            "leads at several rates; only plain records can be read: convert it with "
            "wfdb.rdrecord and wfdb.wrsamp"
        )
    _check_sizes(header, folder)

    adc = read_signals(header, folder)
    _check_sums(header, header_file, adc)
    sample, symbol = np.empty(0, dtype=np.int64), np.empty(0, dtype="U1")
    if annotator is not None:
        sample, symbol = _read_annotations(folder / f"{name}.{annotator}", name, adc.shape[1])
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
    """Refuse signal files that are missing or shorter than the header says."""
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
                f"{file} is truncated: it has {size:,} bytes where its header asks for "
                f"{needed:,} ({len(signals)} signals of {header.sig_len:,} samples in format "
                f"{fmt}); {_get_again(header.record_name)}"
            )


def _check_sums(header: wfdb.Record, header_file: Path, adc: NDArray) -> None:
    """Refuse signals that do not add up to the header's checksum."""
    for i, (lead, samples) in enumerate(zip(header.sig_name, adc, strict=True)):
        file = header_file.with_name(header.file_name[i])
        stated = header.checksum[i]
        # WFDB keeps the sum of all samples in 16 bits.
        found = int(samples.sum(dtype=np.int16))
        if stated is not None and (found - stated) & 0xFFFF:
            raise RecordError(
                f"{file}: the checksum of lead {lead} is {found}, but {header_file.name} says "
                f"{stated}, so the file is damaged; {_get_again(header.record_name)}"
            )


def _count_missing(fmt: str, samples: NDArray[np.integer]) -> int:
    """Count the samples a signal file marks as missing: the lowest value of its format."""
    mark = -(2 ** (_BITS[fmt] - 1)) if fmt in _BITS else None
    # The minimum is found at once; to compare all samples takes longer.
    return 0 if mark is None or samples.min() > mark else int(np.sum(samples == mark))


def _read_annotations(
    file: Path, name: str, n_samples: int
) -> tuple[NDArray[np.int64], NDArray[np.str_]]:
    """Read annotations that lie within the record."""
    _require(file, name)
    try:
        sample, symbol = read_annotations(file)
    except Exception as error:
        raise RecordError(
            f"{file} is not a readable annotation file: {error}; {_get_again(name)}"
        ) from error
    if not len(sample):
        raise RecordError(f"{file} holds no annotations; {_get_again(name)}")
    outside = (sample < 0) | (sample >= n_samples)
    if outside.any():
        at = int(sample[outside][0])
        raise RecordError(
            f"{file} has an annotation at sample {at:,}, but the record has {n_samples:,} "
            f"samples: the two do not belong together; {_get_again(name)}"
        )
    return sample, symbol


def _millivolts_per_unit(header: wfdb.Record, header_file: Path) -> NDArray[np.float64]:
    """How many mV one physical unit of each lead is."""
    unknown = sorted({str(unit) for unit in header.units} - set(_MILLIVOLTS))
    if unknown:
        raise RecordError(
            f"{header_file} gives signals in {_quoted(unknown)}; expected one of "
            f"{_quoted(_MILLIVOLTS)}: is this an ECG record?"
        )
    return np.array([_MILLIVOLTS[unit] for unit in header.units])


def _require(file: Path, name: str) -> None:
    """Refuse a file that is not there."""
    if not file.is_file():
        raise FileNotFoundError(
            f"{file} is missing, which belongs to record {name}: is the path right, and the "
            "download complete? fetch_mitbih() and fetch_ptbdb() download what is missing"
        )


def _get_again(name: str) -> str:
    return f"download record {name} again (fetch_mitbih and fetch_ptbdb do it)"


def _quoted(names: object) -> str:
    return ", ".join(repr(name) for name in names)  # type: ignore[attr-defined]


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
    import wfdb

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


# Codes that are no annotations of their own.
SKIP, AUX = 59, 63
#: An annotation of this code holds a note, at sample 0 perhaps the definition of new
#: symbols or of another time resolution.
NOTE = 22
LAST_CODE = 49


@cache
def _symbols() -> NDArray[np.str_]:
    """Return the symbol of each annotation code."""
    from wfdb.io.annotation import ann_label_table

    symbols = np.full(LAST_CODE + 1, " ", dtype="U1")
    symbols[ann_label_table["label_store"].to_numpy()] = ann_label_table["symbol"].to_numpy()
    return symbols


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
    return sample, _symbols()[codes[is_annotation]]


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
    import wfdb

    annotation = wfdb.rdann(str(file.with_suffix("")), file.suffix.removeprefix("."))
    return (
        np.asarray(annotation.sample, dtype=np.int64),
        np.asarray(annotation.symbol, dtype=np.str_),
    )
