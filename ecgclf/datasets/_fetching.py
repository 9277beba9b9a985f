"""Downloads of ECG databases from PhysioNet."""

from __future__ import annotations

import difflib
import logging
import os
import re
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, TypedDict, Unpack

import pooch
import requests
from tqdm import tqdm

from ecgclf._files import locked
from ecgclf.datasets._databases import Database, find_database

_SUMS = "SHA256SUMS.txt"
_RECORDS = "RECORDS"

#: HTTP status codes of errors that may be temporary.
_TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})

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
    timeout: float
    retries: int
    backoff: float


def fetch(
    name: str,
    *,
    records: str | Sequence[str] = "all",
    data_home: str | os.PathLike[str] | None = None,
    base_url: str | None = None,
    progressbar: bool = True,
    timeout: float = 30.0,
    retries: int = 3,
    backoff: float = 1.0,
) -> Path:
    """Download a database from PhysioNet [1]_.

    Existing files are verified and kept. A file gets its name only when it is complete and has
    the published SHA-256. The part of an interrupted download is kept as ``<name>.part``, and
    the next call resumes it.

    Parameters
    ----------
    name : str
        Name of the database on PhysioNet, one of `DATABASES`: "mitdb", "svdb", "incartdb",
        "ptbdb", "ptb-xl", "nstdb", "edb" or "ltafdb".
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
    timeout : float, default=30.0
        Seconds to wait for the server.
    retries : int, default=3
        Number of further attempts, for each file, after a lost connection or a temporary
        error of the server.
    backoff : float, default=1.0
        Seconds before the first of these attempts; the waiting time doubles for each later
        one.

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
        If an existing file is damaged and downloaded again, or if the server cannot be reached
        and files are verified with the checksums of an earlier download.

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
    source = _Source(database, base_url or database.url)
    folder = get_data_home(data_home) / name
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder), requests.Session() as session, _quiet_pooch():
        downloader = partial(
            ResumingDownloader, timeout=timeout, retries=retries, backoff=backoff, session=session
        )
        sums = _checksums(source, folder, downloader)
        _fetch_file(source, _RECORDS, sums.get(_RECORDS), folder, downloader)
        known = (folder / _RECORDS).read_text(encoding="utf-8").split()
        files = _files(source, known if records == "all" else records, known, sums)
        # disable=None hides the bar unless standard error is a terminal.
        for file in tqdm(files, name, unit="file", disable=None if progressbar else True):
            _fetch_file(source, file, sums[file], folder, downloader)
    return folder


def fetch_mitbih(
    *, records: str | Sequence[str] = "all", **options: Unpack[FetchOptions]
) -> Path:
    """Download the MIT-BIH Arrhythmia Database from PhysioNet (about 100 MB).

    Short for ``fetch("mitdb")``.

    Parameters
    ----------
    records : "all" or sequence of str, default="all"
        Names of the records to download, such as ``["100", "101"]``.
    **options
        Other parameters of `fetch`, such as `data_home` and `progressbar`.

    Returns
    -------
    pathlib.Path
        The folder, for `load_mitbih`.

    Examples
    --------
    >>> from ecgclf.datasets import fetch_mitbih, load_mitbih
    >>> path = fetch_mitbih(records=["100"])  # doctest: +SKIP
    >>> beats = load_mitbih(path, records=["100"])  # doctest: +SKIP
    """
    return fetch("mitdb", records=records, **options)


def fetch_ptbdb(*, records: str | Sequence[str] = "all", **options: Unpack[FetchOptions]) -> Path:
    """Download the PTB Diagnostic ECG Database from PhysioNet (about 1.7 GB).

    Short for ``fetch("ptbdb")``.

    Parameters
    ----------
    records : "all" or sequence of str, default="all"
        Names of the records with their folders, such as ``["patient001/s0010_re"]``, or of
        folders.
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
class _Source:
    """Database on a server."""

    database: Database
    base_url: str

    @property
    def name(self) -> str:
        return self.database.name

    def url(self, file: str) -> str:
        return f"{self.base_url.rstrip('/')}/{file}"


def _checksums(
    source: _Source, folder: Path, downloader: Callable[..., ResumingDownloader]
) -> dict[str, str]:
    """Download the list of checksums, and return the SHA-256 of each file.

    Without a network, the list of an earlier call is used, because the published version of a
    database does not change.
    """
    url, place = source.url(_SUMS), folder / _SUMS
    part = folder / f"{_SUMS}.part"
    part.unlink(missing_ok=True)  # it cannot be verified, so it is not resumed
    try:
        with _explain_errors(source, _SUMS, folder):
            downloader(part=part)(url, part, None)
    except ConnectionError as error:
        if not place.exists():
            raise
        warnings.warn(
            f"{error} Files are verified with the checksums of an earlier download: {place}",
            UserWarning,
            stacklevel=3,
        )
        part = place
    lines = part.read_text(encoding="utf-8", errors="replace").splitlines()
    matches = [re.fullmatch(r"([0-9a-fA-F]{64}) [ *]?(\S.*)", line) for line in lines]
    sums = {match[2].strip(): match[1].lower() for match in matches if match}
    if not sums or not all(matches):
        part.unlink()
        raise ValueError(
            f"{url} is not a list of SHA-256 checksums, with '<64 hexadecimal digits> <file>' in "
            "each line. Check base_url."
        )
    os.replace(part, place)
    return sums


def _files(
    source: _Source, records: Sequence[str], known: Sequence[str], sums: dict[str, str]
) -> list[str]:
    """Return the names of the files of `records`, and of the tables of the database."""
    if not len(records):
        raise ValueError("records is empty. Name at least one record, or pass 'all'.")
    is_known = set(known)
    names = []
    for record in records:
        if record in is_known:
            names.append(record)
            continue
        in_folder = [name for name in known if name.startswith(f"{str(record).rstrip('/')}/")]
        if not in_folder:
            close = difflib.get_close_matches(str(record), known) or list(known[:3])
            raise ValueError(
                f"{source.name} has no record {record!r}; similar names are {close}. All names "
                f"are in {source.url(_RECORDS)}."
            )
        names += in_folder
    database = source.database
    files = [*database.tables]
    files += [name + suffix for name in names for suffix in database.suffixes]
    for file in files:
        if file not in sums:
            raise ValueError(f"{source.url(_SUMS)} has no checksum for {file}.")
    optional = [name + suffix for name in names for suffix in database.optional_suffixes]
    files += [file for file in optional if file in sums]
    for file in files:
        # The names come from the server, and must not lead out of the folder.
        if PurePosixPath(file).is_absolute() or ".." in PurePosixPath(file).parts:
            raise ValueError(f"{source.url(_RECORDS)} names a file outside its folder: {file}.")
    return files


def _fetch_file(
    source: _Source,
    file: str,
    sha256: str | None,
    folder: Path,
    downloader: Callable[..., ResumingDownloader],
) -> None:
    """Download a file, unless it exists and is intact.

    `sha256` is None for a RECORDS without a published checksum.
    """
    place = folder / file
    if place.exists():
        if sha256 is None or pooch.file_hash(place) == sha256:
            return
        warnings.warn(
            f"{place} is damaged: its SHA-256 is not the published {sha256}. It is deleted and "
            "downloaded again.",
            UserWarning,
            stacklevel=3,
        )
        place.unlink()  # first, so that no damaged file stays if the download fails
    download = downloader(part=folder / f"{file}.part")
    place.parent.mkdir(parents=True, exist_ok=True)
    retrieve = partial(
        pooch.retrieve, source.url(file), sha256, file, folder, downloader=download
    )
    with _explain_errors(source, file, folder):
        try:
            retrieve()
        except ValueError:  # wrong hash; pooch has deleted the file
            if not download.resumed:
                raise
            retrieve()  # the bytes of the earlier attempt may be wrong


@contextmanager
def _explain_errors(source: _Source, file: str, folder: Path) -> Iterator[None]:
    """Turn errors of a download into errors that state what to do."""
    url = source.url(file)
    by_hand = (
        f"download it by hand to {folder / file}, or set ECGCLF_DATA or data_home to a folder "
        f"that contains the database in its folder '{source.name}'."
    )
    try:
        yield
    except requests.HTTPError as error:
        if error.response is not None and error.response.status_code == 404:
            raise FileNotFoundError(
                f"{url} does not exist (404). Check base_url, {by_hand}"
            ) from error
        raise ConnectionError(
            f"{url} was refused ({error}). Try again later, {by_hand}"
        ) from error
    except requests.RequestException as error:
        raise ConnectionError(
            f"{url} could not be downloaded ({error}). Check the network and call again, which "
            f"resumes the download; or {by_hand}"
        ) from error
    except ValueError as error:
        raise ValueError(
            f"{url} was downloaded with a wrong checksum and deleted: {error} Call again; if it "
            f"fails again, compare base_url with {source.url(_SUMS)}, or {by_hand}"
        ) from error


@contextmanager
def _quiet_pooch() -> Iterator[None]:
    """Keep pooch from logging each file, which the progress bar shows."""
    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)


class _IncompleteError(requests.ConnectionError):
    """Error raised if the server closed the connection before the end of a file."""


@dataclass
class ResumingDownloader:
    """Downloader for `pooch` that resumes interrupted downloads, which pooch itself cannot.

    The bytes are collected in ``part``. A later attempt, in the same call or in another
    process, requests the rest with a Range header (RFC 9110, section 14). If the server does
    not support ranges, it sends the whole file again. The complete file is moved to where
    pooch expects it, and pooch verifies its hash.

    Parameters
    ----------
    part : Path
        File with the bytes received so far.
    timeout : float
        Seconds to wait for a connection, and for the next bytes.
    retries : int
        Number of further attempts after errors that may be temporary: a lost connection, a
        timeout, an overloaded server.
    backoff : float
        Seconds before the first of these attempts; doubled for each later one.
    session : requests.Session
        Shared by all files, so that they share a connection.

    Attributes
    ----------
    resumed : bool
        Whether the file begins with bytes of an earlier attempt.
    """

    part: Path
    timeout: float
    retries: int
    backoff: float
    session: requests.Session = field(default_factory=requests.Session)
    resumed: bool = field(default=False, init=False)

    def __call__(self, url: str, output_file: str | os.PathLike[str], pooch: Any) -> None:
        """Download `url` to `output_file`, with the signature that pooch requires."""
        for attempts_left in range(self.retries, -1, -1):
            try:
                self._continue(url)
                break
            except requests.RequestException as error:
                if not attempts_left or not _is_transient(error):
                    raise
                time.sleep(self.backoff * 2 ** (self.retries - attempts_left))
        os.replace(self.part, output_file)

    def _continue(self, url: str) -> None:
        """Request the bytes that are not in `part`, and append them."""
        have = self.part.stat().st_size if self.part.exists() else 0
        # Ranges count transferred bytes, so the file must be transferred without compression.
        headers = {"Accept-Encoding": "identity"}
        if have:
            headers["Range"] = f"bytes={have}-"
        with self.session.get(
            url, headers=headers, timeout=self.timeout, stream=True
        ) as response:
            if have and not _continues(response, have):
                # There are no more bytes (416), or these are of another range.
                if response.status_code in (206, 416):
                    self.part.unlink()
                    return self._continue(url)
                have = 0
            response.raise_for_status()
            self.resumed = have > 0
            with open(self.part, "ab" if have else "wb") as file:
                for chunk in response.iter_content(_CHUNK):
                    file.write(chunk)
                size = file.tell()
        length = response.headers.get("Content-Length")
        if length is not None and size != have + int(length):
            raise _IncompleteError(
                f"{url}: the server announced {have + int(length)} bytes and sent {size}"
            )


def _continues(response: requests.Response, offset: int) -> bool:
    """Return whether the response is the rest of the file from `offset` on."""
    content_range = response.headers.get("Content-Range", "")
    begins = re.match(r"bytes (\d+)-", content_range)
    return response.status_code == 206 and begins is not None and int(begins[1]) == offset


def _is_transient(error: requests.RequestException) -> bool:
    """Return whether another attempt may succeed."""
    if isinstance(error, requests.HTTPError):
        return error.response is not None and error.response.status_code in _TRANSIENT
    return isinstance(
        error,
        (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError),
    )
