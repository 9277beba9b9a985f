"""Downloads of ECG databases from PhysioNet."""

from __future__ import annotations

import difflib
import os
import re
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TypedDict, Unpack

import pooch
import requests
from tqdm import tqdm

from ecgclf._docstrings import parameters_from
from ecgclf._files import locked
from ecgclf.datasets._databases import Database, find_database

_SUMS = "SHA256SUMS.txt"
_RECORDS = "RECORDS"

#: Status codes of HTTP, and other errors, after which another attempt may succeed.
_BUSY = (408, 429, 500, 502, 503, 504)
_TEMPORARY = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
)

#: Seconds to wait for the server, and before another attempt, doubled for each later one.
_TIMEOUT, _WAIT = 30.0, 1.0

#: Bytes that are read from a connection at once.
_CHUNK = 1 << 16


def get_data_home(data_home: str | os.PathLike[str] | None = None) -> Path:
    """Return the folder of all downloaded databases.

    Parameters
    ----------
    data_home : str or path-like, optional
        The folder. By default the one in the environment variable ``ECGCLF_DATA``, or, if that
        is not set or empty, the user's cache folder ("~/.cache/ecgclf" on Linux).

    Returns
    -------
    pathlib.Path
        With "~" expanded. The folder need not exist.

    Examples
    --------
    >>> from ecgclf.datasets import get_data_home
    >>> get_data_home("ecg").name
    'ecg'
    """
    chosen = data_home or os.environ.get("ECGCLF_DATA") or pooch.os_cache("ecgclf")
    return Path(chosen).expanduser()


class FetchOptions(TypedDict, total=False):
    """Options of `fetch` besides the database and its records."""

    data_home: str | os.PathLike[str] | None
    base_url: str | None
    progressbar: bool
    retries: int


def fetch(
    name: str,
    *,
    records: str | Sequence[str] = "all",
    data_home: str | os.PathLike[str] | None = None,
    base_url: str | None = None,
    progressbar: bool = True,
    retries: int = 3,
) -> Path:
    """Download a database from PhysioNet [1]_.

    Existing files are verified and kept. A file gets its name only when it is complete and has
    the published SHA-256. The part of an interrupted download is kept as ``<name>.part``, and
    the next call resumes it.

    Parameters
    ----------
    name : str
        Name of the database on PhysioNet, one of `DATABASES`, such as "mitdb" or "ptb-xl".
    records : "all" or sequence of str, default="all"
        Names of the records to download, such as ``["100", "101"]``, with their folder if they
        are in one, or names of such folders, such as ``["records100"]`` of "ptb-xl".
    data_home : str or path-like, optional
        Folder of all databases, see `get_data_home`. The files are written to its folder
        `name`.
    base_url : str, optional
        Address of the files, for a mirror. By default the one at PhysioNet.
    progressbar : bool, default=True
        Show a progress bar, if standard error is a terminal.
    retries : int, default=3
        Number of further attempts, for each file, after a lost connection, 30 s without an
        answer, or a temporary error of the server. The waiting time before them is 1 s, then
        twice that, and so on.

    Returns
    -------
    pathlib.Path
        The folder, for a loader such as `load_mitbih` or `load_wfdb`.

    Raises
    ------
    FileNotFoundError
        If the server does not have a file.
    ConnectionError
        If the server cannot be reached or refuses a file.
    ValueError
        If the database or a record is unknown, or a downloaded file has a wrong checksum.

    Warns
    -----
    UserWarning
        If an existing file is damaged and downloaded again, or files are verified with the
        checksums of an earlier download because the server cannot be reached.

    References
    ----------
    .. [1] A. L. Goldberger et al., "PhysioBank, PhysioToolkit, and PhysioNet", Circulation
       101(23):e215-e220, 2000.

    Examples
    --------
    >>> from ecgclf.datasets import fetch, load_svdb
    >>> beats = load_svdb(fetch("svdb"))  # doctest: +SKIP
    """
    database = find_database(name)
    if isinstance(records, str) and records != "all":
        raise ValueError(
            f"records={records!r}: expected 'all' or a sequence of names, as [{records!r}]."
        )
    folder = get_data_home(data_home) / name
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder), requests.Session() as session:
        server = _Server(database, base_url or database.url, folder, session, retries)
        files = server.files(records)
        # disable=None hides the bar unless standard error is a terminal.
        for file in tqdm(files, name, unit="file", disable=None if progressbar else True):
            server.fetch(file, files[file])
    return folder


@parameters_from(fetch)
def fetch_mitbih(
    *, records: str | Sequence[str] = "all", **options: Unpack[FetchOptions]
) -> Path:
    """Download the MIT-BIH Arrhythmia Database from PhysioNet (about 100 MB).

    Short for ``fetch("mitdb")``.

    Parameters
    ----------
    **options
        Other parameters of `fetch`, such as `data_home` and `progressbar`.

    Returns
    -------
    pathlib.Path
        The folder, for `load_mitbih`.

    Examples
    --------
    >>> from ecgclf.datasets import fetch_mitbih, load_mitbih
    >>> beats = load_mitbih(fetch_mitbih())  # doctest: +SKIP
    """
    return fetch("mitdb", records=records, **options)


@parameters_from(fetch)
def fetch_ptbdb(*, records: str | Sequence[str] = "all", **options: Unpack[FetchOptions]) -> Path:
    """Download the PTB Diagnostic ECG Database from PhysioNet (about 1.7 GB).

    Short for ``fetch("ptbdb")``.

    Parameters
    ----------
    **options
        Other parameters of `fetch`, such as `data_home` and `progressbar`.

    Returns
    -------
    pathlib.Path
        The folder, for `load_ptbdb`.

    Examples
    --------
    >>> from ecgclf.datasets import fetch_ptbdb, load_ptbdb
    >>> path = fetch_ptbdb(records=["patient001/s0010_re"])  # doctest: +SKIP
    >>> beats = load_ptbdb(path)  # doctest: +SKIP
    """
    return fetch("ptbdb", records=records, **options)


@dataclass(frozen=True)
class _Server:
    """Server of a database, with the local folder of its files."""

    database: Database
    base_url: str
    folder: Path
    session: requests.Session
    retries: int

    def url(self, file: str) -> str:
        return f"{self.base_url.rstrip('/')}/{file}"

    def checksums(self) -> dict[str, str]:
        """Download the list of checksums, and return the SHA-256 of each file.

        Without a network, the list of an earlier call is used, because the published version of
        a database does not change.
        """
        url, place = self.url(_SUMS), self.folder / _SUMS
        part = self._part(_SUMS)
        part.unlink(missing_ok=True)  # it cannot be verified, so it is not resumed
        try:
            self._receive(_SUMS)
        except ConnectionError as error:
            if not place.exists():
                raise
            warnings.warn(
                f"{error} Files are verified with the checksums of an earlier download: {place}",
                UserWarning,
                stacklevel=4,
            )
            part = place
        lines = part.read_text(encoding="utf-8", errors="replace").splitlines()
        matches = [re.fullmatch(r"([0-9a-fA-F]{64}) [ *]?(\S.*)", line) for line in lines]
        sums = {match[2].strip(): match[1].lower() for match in matches if match}
        if not sums or not all(matches):
            part.unlink()
            raise ValueError(
                f"{url} is not a list of SHA-256 checksums, with '<64 hexadecimal digits> "
                "<file>' in each line. Check base_url."
            )
        os.replace(part, place)
        return sums

    def files(self, records: str | Sequence[str]) -> dict[str, str]:
        """Return the files of `records`, and the tables of the database, with their SHA-256."""
        sums = self.checksums()
        self.fetch(_RECORDS, sums.get(_RECORDS))
        known = (self.folder / _RECORDS).read_text(encoding="utf-8").split()
        names = known if records == "all" else self._names(records, known)
        database = self.database
        files = [*database.tables]
        files += [name + suffix for name in names for suffix in database.suffixes]
        if missing := [file for file in files if file not in sums]:
            raise ValueError(f"{self.url(_SUMS)} has no checksum for {missing[0]}.")
        optional = [name + suffix for name in names for suffix in database.optional_suffixes]
        files += [file for file in optional if file in sums]
        for file in files:
            # The names come from the server, and must not lead out of the folder.
            if PurePosixPath(file).is_absolute() or ".." in PurePosixPath(file).parts:
                raise ValueError(f"{self.url(_RECORDS)} names a file outside its folder: {file}.")
        return {file: sums[file] for file in files}

    def _names(self, records: Sequence[str], known: Sequence[str]) -> list[str]:
        """Return the names of records that are given by name or by folder."""
        if not len(records):
            raise ValueError("records is empty. Name at least one record, or pass 'all'.")
        names = []
        is_known = set(known)
        for record in records:
            folder = f"{str(record).rstrip('/')}/"
            found = (
                [record]
                if record in is_known
                else [name for name in known if name.startswith(folder)]
            )
            if not found:
                close = difflib.get_close_matches(str(record), known) or list(known[:3])
                raise ValueError(
                    f"{self.database.name} has no record {record!r}; similar names are {close}. "
                    f"All names are in {self.url(_RECORDS)}."
                )
            names += found
        return names

    def fetch(self, file: str, sha256: str | None) -> None:
        """Download a file, unless it exists and is intact.

        `sha256` is None for a RECORDS without a published checksum.
        """
        place, part = self.folder / file, self._part(file)
        if place.exists():
            if _is_intact(place, sha256):
                return
            warnings.warn(
                f"{place} is damaged: its SHA-256 is not the published {sha256}. It is deleted "
                "and downloaded again.",
                UserWarning,
                stacklevel=3,
            )
            place.unlink()  # first, so that no damaged file stays if the download fails
        place.parent.mkdir(parents=True, exist_ok=True)
        if self._receive(file) and not _is_intact(part, sha256):
            part.unlink()  # the bytes of the earlier attempt may be wrong
            self._receive(file)
        if not _is_intact(part, sha256):
            found = pooch.file_hash(part)
            part.unlink()
            raise ValueError(
                f"{self.url(file)} was downloaded with a wrong checksum and deleted: its SHA-256 "
                f"is {found}, and not the published {sha256}. Call again; if it fails again, "
                f"compare base_url with {self.url(_SUMS)}, or {self._by_hand(file)}"
            )
        os.replace(part, place)

    def _part(self, file: str) -> Path:
        """Return the place of the bytes of a file that has not arrived as a whole."""
        return self.folder / f"{file}.part"

    def _by_hand(self, file: str) -> str:
        return (
            f"download it by hand to {self.folder / file}, or set ECGCLF_DATA or data_home to a "
            f"folder that contains the database in its folder '{self.database.name}'."
        )

    def _receive(self, file: str) -> bool:
        """Complete the part of a file; return whether it begins with bytes of an earlier attempt.

        After errors that may be temporary, another attempt requests the bytes that are missing.
        """
        url = self.url(file)
        attempt = 0
        while True:
            try:
                return self._continue(url, self._part(file))
            except requests.RequestException as error:
                status = getattr(error.response, "status_code", None)
                is_temporary = (
                    isinstance(error, _TEMPORARY) if status is None else status in _BUSY
                )
                if is_temporary and attempt < self.retries:
                    time.sleep(_WAIT * 2**attempt)
                    attempt += 1
                    continue
                by_hand = self._by_hand(file)
                if status == 404:
                    raise FileNotFoundError(
                        f"{url} does not exist (404). Check base_url, {by_hand}"
                    ) from error
                if status is not None:
                    raise ConnectionError(
                        f"{url} was refused ({error}). Try again later, {by_hand}"
                    ) from error
                raise ConnectionError(
                    f"{url} could not be downloaded ({error}). Check the network and call again, "
                    f"which resumes the download; or {by_hand}"
                ) from error

    def _continue(self, url: str, part: Path) -> bool:
        """Request the bytes that are not in `part` with a Range header (RFC 9110, section 14).

        A server that does not support ranges sends the whole file again.
        """
        have = part.stat().st_size if part.exists() else 0
        # Ranges count transferred bytes, so the file must be transferred without compression.
        headers = {"Accept-Encoding": "identity"}
        if have:
            headers["Range"] = f"bytes={have}-"
        with self.session.get(url, headers=headers, timeout=_TIMEOUT, stream=True) as response:
            begins = response.headers.get("Content-Range", "").startswith(f"bytes {have}-")
            if have and not (response.status_code == 206 and begins):
                # There are no more bytes (416), or these are of another range.
                if response.status_code in (206, 416):
                    part.unlink()
                    return self._continue(url, part)
                have = 0
            response.raise_for_status()
            with part.open("ab" if have else "wb") as file:
                for chunk in response.iter_content(_CHUNK):
                    file.write(chunk)
                size = file.tell()
        length = response.headers.get("Content-Length")
        if length is not None and size != have + int(length):
            raise requests.exceptions.ChunkedEncodingError(  # as raised with urllib3 2
                f"{url}: the server announced {have + int(length)} bytes and sent {size}"
            )
        return have > 0


def _is_intact(file: Path, sha256: str | None) -> bool:
    """Return whether a file has its checksum, as far as there is one."""
    return sha256 is None or pooch.file_hash(file) == sha256
