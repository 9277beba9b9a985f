"""Reader of WFDB recordings.

The formats are described in the WFDB Applications Guide, header(5) and signal(5).
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ecgclf.datasets._annotations import RecordError, annotations_within, explain_damage
from ecgclf.datasets._recordings import (
    UNKNOWN_DATE,
    Leads,
    Piece,
    Recording,
    choose_leads,
    decode,
    millivolts_per,
)

if TYPE_CHECKING:
    import soundfile

#: Sampling rate and gain of headers that do not state them.
_DEFAULT_FS, _DEFAULT_GAIN = 250.0, 200.0

#: Bytes of a header, characters of a line in it, samples in a frame, and frames of skew above
#: which a header is damaged.
_LARGEST_HEADER, _LONGEST_LINE, _MOST_PER_FRAME, _LARGEST_SKEW = 2**24, 1000, 10_000, 10_000

#: Frames that are decoded at a time. Groups of 2 or 3 samples fit into a multiple of 6.
_FRAMES = 6 * 2**16

#: Bytes of a sample, as a fraction, by format.
_BYTES = {
    **dict.fromkeys((8, 80), (1, 1)),
    **dict.fromkeys((16, 61, 160), (2, 1)),
    24: (3, 1),
    32: (4, 1),
    212: (3, 2),
    310: (4, 3),
    311: (4, 3),
}

#: Bits of a sample of the FLAC formats.
_FLAC_BITS = {508: 8, 516: 16, 524: 24}

#: Bits of a sample of the formats whose lowest value marks a missing sample.
_BITS = {16: 16, 24: 24, 32: 32, 61: 16, 80: 8, 160: 16, 212: 12, 310: 10, 311: 10, **_FLAC_BITS}

_SIGNAL_LINE = re.compile(
    r"(?P<file>.+?)\s+(?P<format>\d+)(?:x(?P<per_frame>\d+))?(?::(?P<skew>\d+))?"
    r"(?:\+(?P<offset>\d+))?"
    r"(?:\s+(?P<gain>[-+.\deE]+)(?:\((?P<baseline>[-+]?\d+)\.?\d*\))?(?:/(?P<unit>\S+))?"
    r"(?:\s+[-+]?\d+(?:\s+(?P<zero>[-+]?\d+)(?:\s+(?P<first>[-+]?\d+)"
    r"(?:\s+(?P<checksum>[-+]?\d+)(?:\s+\d+(?:\s+(?P<name>.*))?)?)?)?)?)?)?\s*"
)


@dataclass
class SignalSpec:
    """One signal of a header."""

    file: str
    format: int
    per_frame: int = 1
    skew: int = 0
    offset: int = 0
    gain: float = _DEFAULT_GAIN
    baseline: float = 0
    unit: str = "mV"
    first: int = 0
    checksum: int | None = None
    name: str = ""

    @property
    def missing(self) -> int | None:
        """Stored value of a missing sample."""
        return -(2 ** (_BITS[self.format] - 1)) if self.format in _BITS else None


@dataclass
class Header:
    """Header of a record or of one segment."""

    path: Path
    fs: float
    n_frames: int | None
    start: datetime | None
    signals: list[SignalSpec] = field(default_factory=list)
    segments: list[tuple[str, int]] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)


def read_wfdb(path: Path, leads: Leads, annotator: str | None) -> Recording:
    """Read a WFDB record by its header file."""
    with explain_damage(path):
        return _read(path, leads, annotator)


def _read(path: Path, leads: Leads, annotator: str | None) -> Recording:
    header = read_header(path)
    main, segments = _read_segments(header)
    by_name = _has_layout(header)
    rows = choose_leads(
        leads,
        [signal.name for signal in main.signals],
        [signal.unit for signal in main.signals],
        [header.fs * signal.per_frame for signal in main.signals],
        f"Record {path.stem} ({path})",
    )
    chosen = [main.signals[row] for row in rows]
    per_frame = chosen[0].per_frame
    pieces: list[Piece] = []
    start = 0
    for segment, n_frames in segments:
        if segment is None:
            start += n_frames
            continue
        columns: list[int | None] = list(rows)
        if by_name:
            columns = [_find_column(main, row, segment) for row in rows]
        decoded: dict[int, NDArray[np.integer]] = {}
        try:
            decoded = decode_signals(segment, [c for c in columns if c is not None])
        except FileNotFoundError as error:
            if segment is main:
                raise
            _warn_of_gap(error)
        for lead, column in enumerate(columns):
            if column not in decoded:
                continue
            signal, values = segment.signals[column], decoded[column]
            if signal.per_frame != per_frame:
                raise RecordError(
                    f"{segment.path} has {signal.name!r} at another rate than the first segment, "
                    "so the segments cannot be joined. Read them one by one."
                )
            factor = millivolts_per(signal.unit)
            if factor is None:
                raise RecordError(
                    f"{segment.path} gives {signal.name!r} in {signal.unit!r}, not in V, mV or "
                    "µV. Choose other leads."
                )
            n_frames = n_frames or len(values) // per_frame
            pieces.append(
                Piece(
                    lead,
                    start * per_frame,
                    values[signal.skew * per_frame :],
                    signal.gain / factor,
                    signal.baseline,
                    signal.missing,
                )
            )
        start += n_frames
    annotations = None
    if annotator is not None:
        sample, symbol = annotations_within(path.with_suffix(f".{annotator}"), start)
        annotations = sample * per_frame, symbol
    return Recording._from_pieces(
        pieces,
        start * per_frame,
        header.fs * per_frame,
        leads=[signal.name for signal in chosen],
        units=[signal.unit for signal in chosen],
        start=header.start,
        path=path,
        comments=header.comments,
        annotations=annotations,
    )


def _has_layout(header: Header) -> bool:
    """Return whether the first segment is a layout, whose signals the others have by name."""
    return bool(header.segments) and header.segments[0][0] != "~" and header.segments[0][1] == 0


def _read_segments(header: Header) -> tuple[Header, list[tuple[Header | None, int]]]:
    """Read the header that describes the signals, and that and the length of each segment.

    Gaps, the layout and segments whose files are missing have no header.
    """
    if not header.segments:
        return header, [(header, header.n_frames or 0)]
    headers: dict[str, Header] = {}
    named = list(dict.fromkeys(name for name, _ in header.segments if name != "~"))
    if not named:
        raise RecordError(f"{header.path} consists of gaps only; it has no signals.")
    for name in named:
        try:
            headers[name] = read_header(header.path.with_name(f"{name}.hea"))
        except FileNotFoundError as error:
            if name == named[0]:
                raise
            _warn_of_gap(error)
    nested = [name for name, segment in headers.items() if segment.segments]
    if nested:
        raise RecordError(f"{header.path} has a segment {nested[0]} of several segments.")
    main, *others = headers.values()
    if _has_layout(header):
        # The layout leaves open what the first segment with a signal states.
        for signal in main.signals:
            same = (s for other in others for s in other.signals if s.name == signal.name)
            first = next(same, signal)
            signal.unit, signal.per_frame = first.unit, first.per_frame
    return main, [(headers.get(name) if n else None, n) for name, n in header.segments]


def _find_column(layout: Header, row: int, segment: Header) -> int | None:
    """Find a signal of the layout in a segment, the n-th of a name as the n-th there."""
    name = layout.signals[row].name
    number = [signal.name for signal in layout.signals[:row]].count(name)
    same = [column for column, signal in enumerate(segment.signals) if signal.name == name]
    return same[number] if number < len(same) else None


def _warn_of_gap(error: FileNotFoundError) -> None:
    warnings.warn(f"{error} The samples of its segment are NaN.", UserWarning, stacklevel=5)


def read_header(path: Path) -> Header:
    """Read a header file."""
    if not path.is_file():
        raise FileNotFoundError(
            f"{path} is missing, the header of a WFDB record. Check the path, or download it "
            "again."
        )
    if path.stat().st_size > _LARGEST_HEADER:
        raise RecordError(
            f"{path} has {path.stat().st_size:,} bytes; no WFDB header is as large."
        )
    text = [line.strip() for line in decode(path.read_bytes()).splitlines()]
    if too_long := [line for line in text if len(line) > _LONGEST_LINE and line[0] != "#"]:
        raise RecordError(f"{path} has a line of {len(too_long[0]):,} characters; it is damaged.")
    comments = [line.lstrip("#").strip() for line in text if line.startswith("#")]
    lines = [line for line in text if line and not line.startswith("#")]
    if not lines:
        raise RecordError(f"{path} is empty; expected the header of a WFDB record.")
    n_segments, fields = _split_record_line(lines[0], path)
    try:
        n_signals = int(fields[0])
        fs = float(fields[1].partition("/")[0]) if len(fields) > 1 else _DEFAULT_FS
        n_frames = int(fields[2]) if len(fields) > 2 else 0
        if not 0 < fs < np.inf or n_frames < 0:
            raise ValueError("the rate must be positive, the number of samples not negative")
    except ValueError as error:
        raise RecordError(
            f"{path}, line {lines[0]!r}: expected the name of the record, the number of signals, "
            f"the sampling rate and the number of samples ({error})."
        ) from error
    header = Header(path, fs, n_frames or None, _parse_start(fields[3:]), comments=comments)
    n_lines = n_signals if n_segments is None else n_segments
    if n_lines < 1:
        raise RecordError(f"{path} describes a record without signals.")
    if len(lines) - 1 < n_lines:
        raise RecordError(
            f"{path} announces {n_lines} signals or segments but has {len(lines) - 1} lines; it "
            "is cut short."
        )
    for number, line in enumerate(lines[1 : n_lines + 1]):
        if n_segments is None:
            header.signals.append(_parse_signal(line, number, path))
        else:
            name, _, length = line.rpartition(" ")
            if not name or not length.isdigit():
                raise RecordError(
                    f"{path}, line {line!r}: expected the name and the length of a segment."
                )
            header.segments.append((name.strip(), int(length)))
    return header


def _split_record_line(line: str, path: Path) -> tuple[int | None, list[str]]:
    """Split the first line into the number of segments and the fields after it."""
    # The name may have a folder before it, dots and spaces in it, and a slash and the number of
    # segments after it.
    name, rest = rf"(?:.*[/\\])?{re.escape(path.stem)}", r"(?:/(\d+))?\s+(\d.*)"
    found = re.match(name + rest, line) or re.match(".+?" + rest, line)
    if found is None:
        raise RecordError(
            f"{path} is not a readable WFDB header: expected the name of the record and the "
            f"number of signals, not {line!r}."
        )
    return int(found[1]) if found[1] else None, found[2].split()


def _parse_start(fields: Sequence[str]) -> datetime | None:
    """Parse time and date; a broken or missing time gives None."""
    time, day = (*fields, "", "")[:2]
    started = _parse(time, "%H:%M:%S.%f", "%H:%M:%S", "%H:%M")
    return started and datetime.combine(_parse(day, "%d/%m/%Y") or UNKNOWN_DATE, started.time())


def _parse(text: str, *forms: str) -> datetime | None:
    """Parse a date or a time in one of some forms."""
    for form in forms:
        try:
            return datetime.strptime(text, form)
        except ValueError:
            continue
    return None


def _parse_signal(line: str, number: int, path: Path) -> SignalSpec:
    """Parse the line of a signal."""
    found = _SIGNAL_LINE.fullmatch(line)
    if found is None:
        raise RecordError(
            f"{path}, line {line!r}: expected the file, format, gain and so on of a signal."
        )
    kinds: dict[str, Any] = {"file": str, "gain": float, "unit": str, "name": str}
    try:
        stated = {
            key: kinds.get(key, int)(text) for key, text in found.groupdict().items() if text
        }
    except ValueError as error:
        raise RecordError(f"{path}, line {line!r}: the gain is no number.") from error
    zero = stated.pop("zero", 0)
    signal = SignalSpec(**{"baseline": zero, **stated})
    signal.gain = signal.gain or _DEFAULT_GAIN
    signal.name = signal.name.strip() or f"lead {number}"
    if not 1 <= signal.per_frame <= _MOST_PER_FRAME or signal.skew > _LARGEST_SKEW:
        raise RecordError(
            f"{path}, line {line!r}: {signal.per_frame} samples in a frame and a skew of "
            f"{signal.skew} frames are not plausible. Check the header."
        )
    return signal


def decode_signals(header: Header, columns: Sequence[int]) -> dict[int, NDArray[np.integer]]:
    """Decode some signals of a record of one segment, and verify their checksums."""
    decoded: dict[int, NDArray[np.integer]] = {}
    for name in dict.fromkeys(header.signals[column].file for column in columns):
        group = [n for n, signal in enumerate(header.signals) if signal.file == name]
        wanted = [column for column in columns if column in group]
        path = header.path.parent / name
        if not path.is_file():
            raise FileNotFoundError(
                f"{path} is missing, which {header.path.name} names. Download it again."
            )
        formats = {header.signals[column].format for column in group}
        if len(formats) > 1 or not formats <= set(_BYTES) | set(_FLAC_BITS):
            raise RecordError(
                f"{header.path} gives {name} the formats {sorted(formats)}; expected one of "
                f"{sorted([*_BYTES, *_FLAC_BITS])}."
            )
        read = _decode_flac if formats <= set(_FLAC_BITS) else _decode_file
        decoded.update(read(header, path, group, wanted))
    for column in set(columns):
        signal = header.signals[column]
        found = int(decoded[column].sum(dtype=np.int64))
        if signal.checksum is not None and (found - signal.checksum) & 0xFFFF:
            raise RecordError(
                f"{header.path.parent / signal.file} is damaged: the checksum of lead "
                f"{signal.name} is {found & 0xFFFF}, but {header.path.name} states "
                f"{signal.checksum & 0xFFFF}. Download it again."
            )
    return decoded


def _decode_file(
    header: Header, path: Path, group: Sequence[int], wanted: Sequence[int]
) -> dict[int, NDArray[np.integer]]:
    """Decode signals of an uncompressed file, some frames at a time."""
    signals = [header.signals[column] for column in group]
    kind = signals[0].format
    per_frame = sum(signal.per_frame for signal in signals)
    above, below = _BYTES[kind]
    size = path.stat().st_size - signals[0].offset
    n_frames = header.n_frames
    if n_frames is None:
        n_frames = size * below // above // per_frame
    needed = -(-n_frames * per_frame * above // below)
    if kind in (310, 311):
        # The last group may lack the bytes of samples that are not there.
        needed = n_frames * per_frame // 3 * 4 + 2 * (n_frames * per_frame % 3 > 0)
    if not 0 < needed <= size:
        raise RecordError(
            f"{path} is truncated: it has {size:,} bytes, but {header.path.name} requires "
            f"{needed:,}. Download it again."
        )
    first = np.cumsum([0, *(signal.per_frame for signal in signals)])
    dtype = np.int32 if kind in (24, 32) else np.int16
    decoded: dict[int, NDArray[np.integer]] = {
        column: np.empty(n_frames * header.signals[column].per_frame, dtype) for column in wanted
    }
    with path.open("rb") as file:
        file.seek(signals[0].offset)
        for start in range(0, n_frames, _FRAMES):
            count = min(_FRAMES, n_frames - start)
            content = file.read(-(-count * per_frame * above // below))
            samples = _unpack(kind, content, count * per_frame).reshape(count, per_frame)
            for column in wanted:
                number = group.index(column)
                own = samples[:, first[number] : first[number + 1]].ravel()
                step = header.signals[column].per_frame
                decoded[column][start * step : (start + count) * step] = own
    if kind == 8:  # differences of samples
        for column, values in decoded.items():
            values[:] = header.signals[column].first + np.cumsum(values)
    return decoded


def _unpack(kind: int, content: bytes, count: int) -> NDArray[np.integer]:
    """Turn bytes of an uncompressed format into samples."""
    plain = {8: "i1", 16: "<i2", 61: ">i2", 32: "<i4"}
    if kind in plain:
        return np.frombuffer(content, plain[kind], count)
    if kind == 80:
        return np.frombuffer(content, np.uint8, count).astype(np.int16) - 128
    if kind == 160:
        return (np.frombuffer(content, "<u2", count) ^ np.uint16(0x8000)).view(np.int16)
    if kind == 24:
        low, middle, high = np.frombuffer(content, np.uint8, 3 * count).reshape(-1, 3).T
        upper = low.astype(np.int32) << 8 | middle.astype(np.int32) << 16
        # The sample is put at the upper end, so that shifting it down extends its sign.
        return (upper | high.astype(np.int32) << 24) >> 8
    group = 3 if kind == 212 else 4
    padded = content + bytes(-len(content) % group)
    if kind == 212:
        triplets = np.frombuffer(padded, np.uint8).reshape(-1, 3)
        one, both, other = (part.astype(np.int16) for part in triplets.T)
        # The middle byte has the upper four bits of both samples.
        pairs = np.empty((len(triplets), 2), np.int16)
        pairs[:, 0] = (both << 12 | one << 4) >> 4
        pairs[:, 1] = ((both & 0xF0) << 8 | other << 4) >> 4
        return pairs.ravel()[:count]
    words = np.frombuffer(padded, "<u4")
    if kind == 310:
        # Two samples without the lowest bit of each half word, the third in the upper bits.
        third = (words >> 11 & 0x1F) | (words >> 27 & 0x1F) << 5
        parts = np.stack([words >> 1, words >> 17, third], axis=1)
    else:
        parts = np.stack([words, words >> 10, words >> 20], axis=1)
    return ((parts & 0x3FF).astype(np.int16).ravel()[:count] << 6) >> 6


def _decode_flac(
    header: Header, path: Path, group: Sequence[int], wanted: Sequence[int]
) -> dict[int, NDArray[np.integer]]:
    """Decode signals of a FLAC file, some frames at a time."""
    import soundfile

    step = header.signals[group[0]].per_frame
    try:
        file: soundfile.SoundFile = soundfile.SoundFile(path)
    except soundfile.LibsndfileError as error:
        raise RecordError(f"{path} cannot be read as FLAC ({error}).") from error
    with file:
        needed = (header.n_frames or file.frames // step) * step
        if file.frames < needed or file.channels != len(group):
            raise RecordError(
                f"{path} has {file.channels} signals of {file.frames:,} samples, but "
                f"{header.path.name} asks for {len(group)} of {needed:,}."
            )
        dtype = np.int32 if header.signals[group[0]].format == 524 else np.int16
        decoded: dict[int, NDArray[np.integer]] = {
            column: np.empty(needed, dtype) for column in wanted
        }
        shift = 32 - _FLAC_BITS[header.signals[group[0]].format]
        for start in range(0, needed, _FRAMES):
            count = min(_FRAMES, needed - start)
            samples = file.read(count, dtype="int32", always_2d=True) >> shift
            for column in wanted:
                decoded[column][start : start + count] = samples[:, group.index(column)]
    return decoded
