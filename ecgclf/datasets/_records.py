"""Read one WFDB record and verify that it is whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import wfdb
from numpy.typing import NDArray

from ecgclf.datasets._annotations import read_annotations
from ecgclf.datasets._signals import read_signals

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
