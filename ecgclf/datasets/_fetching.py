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
from typing import Any

import pooch
import requests
from tqdm import tqdm


def get_data_home(data_home: str | os.PathLike[str] | None = None) -> Path:
    """Return the folder that downloaded databases lie in, each in a folder of its own.

    Parameters
    ----------
    data_home : str or path-like, optional
        The folder. Default: what the environment variable ``ECGCLF_DATA`` names, and if it
        is not set or empty, the user's cache folder ("~/.cache/ecgclf" on Linux).

    Returns
    -------
    pathlib.Path
        With "~" expanded. It need not exist.

    Examples
    --------
    >>> from ecgclf.datasets import get_data_home
    >>> get_data_home("ecg").name
    'ecg'
    """
    chosen = data_home or os.environ.get("ECGCLF_DATA") or pooch.os_cache("ecgclf")
    return Path(chosen).expanduser()


_SUMS = "SHA256SUMS.txt"
_RECORDS = "RECORDS"


def fetch_mitbih(
    *,
    data_home: str | os.PathLike[str] | None = None,
    records: str | Sequence[str] = "all",
    base_url: str = "https://physionet.org/files/mitdb/1.0.0/",
    progressbar: bool = True,
    timeout: float = 30.0,
    retries: int = 3,
    backoff: float = 1.0,
) -> Path:
    """Download the MIT-BIH Arrhythmia Database from PhysioNet (about 100 MB).

    The database is described in [1]_, PhysioNet in [2]_. Files that are there already are
    verified and kept. A file is put into its place only when it is whole and its SHA-256 is the
    published one; what has come of a file when a download breaks off stays beside it as
    ``<name>.part``, and the next call goes on from there.

    Parameters
    ----------
    data_home : str or path-like, optional
        Folder for databases; see `get_data_home`. The files go into its folder "mitdb".
    records : "all" or sequence of str, default="all"
        Names of the records to download, for instance ``["100", "101"]``.
    base_url : str
        Where the files lie; another address for a mirror of them.
    progressbar : bool, default=True
        Show a bar, if the standard error is a terminal.
    timeout : float, default=30.0
        Seconds to wait for the server.
    retries : int, default=3
        How often to try again, for each file, when the connection breaks or the server is
        overloaded.
    backoff : float, default=1.0
        Seconds before the first of these tries; each later one waits twice as long.

    Returns
    -------
    pathlib.Path
        The folder, for `load_mitbih`.

    Raises
    ------
    FileNotFoundError
        If the server does not have a file.
    ConnectionError
        If the server cannot be reached or does not answer as it should.
    ValueError
        If a record is unknown, or a file comes with a wrong checksum.

    Warns
    -----
    UserWarning
        If a file on the disk was damaged and is downloaded anew, or if the server cannot be
        reached and the files are verified against checksums of an earlier download.

    References
    ----------
    .. [1] G. B. Moody and R. G. Mark, "The impact of the MIT-BIH Arrhythmia Database", IEEE
       Eng. Med. Biol. 20(3):45-50, 2001. Licence: Open Data Commons Attribution 1.0.
    .. [2] A. L. Goldberger et al., "PhysioBank, PhysioToolkit, and PhysioNet", Circulation
       101(23):e215-e220, 2000.

    Examples
    --------
    >>> from ecgclf.datasets import fetch_mitbih, load_mitbih
    >>> path = fetch_mitbih(records=["100"])  # doctest: +SKIP
    >>> beats = load_mitbih(path, records=["100"])  # doctest: +SKIP
    """
    database = _Database("mitdb", base_url, (".hea", ".dat", ".atr"))
    downloader = partial(ResumingDownloader, timeout=timeout, retries=retries, backoff=backoff)
    return _fetch(database, data_home, records, downloader, progressbar)


def fetch_ptbdb(
    *,
    data_home: str | os.PathLike[str] | None = None,
    records: str | Sequence[str] = "all",
    base_url: str = "https://physionet.org/files/ptbdb/1.0.0/",
    progressbar: bool = True,
    timeout: float = 30.0,
    retries: int = 3,
    backoff: float = 1.0,
) -> Path:
    """Download the PTB Diagnostic ECG Database from PhysioNet (about 1.7 GB).

    The database is described in [1]_. This works as `fetch_mitbih` does, with the same
    parameters, errors and warnings.

    Parameters
    ----------
    data_home : str or path-like, optional
        Folder for databases; the files go into its folder "ptbdb".
    records : "all" or sequence of str, default="all"
        Names of the records with their folder, for instance ``["patient001/s0010_re"]``.
    base_url, progressbar, timeout, retries, backoff
        See `fetch_mitbih`.

    Returns
    -------
    pathlib.Path
        The folder, for `load_ptbdb`.

    Raises
    ------
    FileNotFoundError, ConnectionError, ValueError
        See `fetch_mitbih`.

    References
    ----------
    .. [1] R. Bousseljot, D. Kreiseler and A. Schnabel, "Nutzung der EKG-Signaldatenbank
       CARDIODAT der PTB über das Internet", Biomedizinische Technik 40(s1):317-318, 1995.
       Licence: Open Data Commons Attribution 1.0.

    Examples
    --------
    >>> from ecgclf.datasets import fetch_ptbdb, load_ptbdb
    >>> path = fetch_ptbdb(records=["patient001/s0010_re"])  # doctest: +SKIP
    >>> beats = load_ptbdb(path)  # doctest: +SKIP
    """
    database = _Database("ptbdb", base_url, (".hea", ".dat", ".xyz"))
    downloader = partial(ResumingDownloader, timeout=timeout, retries=retries, backoff=backoff)
    return _fetch(database, data_home, records, downloader, progressbar)


@dataclass(frozen=True)
class _Database:
    """What PhysioNet publishes: a folder of records, each of a few files."""

    name: str
    base_url: str
    suffixes: tuple[str, ...]

    def url(self, file: str) -> str:
        return f"{self.base_url.rstrip('/')}/{file}"


def _fetch(
    database: _Database,
    data_home: str | os.PathLike[str] | None,
    records: str | Sequence[str],
    downloader: Callable[..., ResumingDownloader],
    progressbar: bool,
) -> Path:
    """Bring the files of `records` into the data home, and return their folder."""
    if isinstance(records, str) and records != "all":
        raise ValueError(
            f"records={records!r}: expected 'all' or a sequence of names, as [{records!r}]"
        )
    folder = get_data_home(data_home) / database.name
    folder.mkdir(parents=True, exist_ok=True)
    with requests.Session() as session, _quiet_pooch():
        downloader = partial(downloader, session=session)
        sums = _checksums(database, folder, downloader)
        _fetch_file(database, _RECORDS, sums.get(_RECORDS), folder, downloader)
        known = (folder / _RECORDS).read_text(encoding="utf-8").split()
        files = _files(database, known if records == "all" else records, known, sums)
        # disable=None: no bar unless the standard error is a terminal.
        for file in tqdm(
            files, database.name, unit="file", disable=None if progressbar else True
        ):
            _fetch_file(database, file, sums[file], folder, downloader)
    return folder


def _checksums(
    database: _Database, folder: Path, downloader: Callable[..., ResumingDownloader]
) -> dict[str, str]:
    """Download the list of checksums, and return the SHA-256 of each file.

    Without a network the list of an earlier call does: a published version of a database
    does not change.
    """
    url, place = database.url(_SUMS), folder / _SUMS
    part = folder / f"{_SUMS}.part"
    part.unlink(missing_ok=True)  # nothing would tell whether its beginning is right
    try:
        with _explained(database, _SUMS, folder):
            downloader(part=part)(url, part, None)
    except ConnectionError as error:
        if not place.exists():
            raise
        warnings.warn(
            f"{error} Files are verified against the checksums downloaded before: {place}",
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
            f"{url} is not a list of SHA-256 checksums ('<64 hexadecimal digits> <file>' in "
            "each line); check base_url"
        )
    os.replace(part, place)
    return sums


def _files(
    database: _Database, records: Sequence[str], known: Sequence[str], sums: dict[str, str]
) -> list[str]:
    """Return the files that make up `records`."""
    if not len(records):
        raise ValueError("records is empty: name at least one record, or pass 'all'")
    unknown = [record for record in records if record not in known]
    if unknown:
        close = difflib.get_close_matches(str(unknown[0]), known) or list(known[:3])
        raise ValueError(
            f"{database.name} has no record {unknown[0]!r}; did you mean one of {close}? "
            f"All names are in {database.url(_RECORDS)}"
        )
    files = [record + suffix for record in records for suffix in database.suffixes]
    for file in files:
        if file not in sums:
            raise ValueError(f"{database.url(_SUMS)} has no checksum for {file}")
        # The names come from the server: none may lead out of the folder.
        if PurePosixPath(file).is_absolute() or ".." in PurePosixPath(file).parts:
            raise ValueError(f"{database.url(_RECORDS)} names a file outside: {file}")
    return files


def _fetch_file(
    database: _Database,
    file: str,
    sha256: str | None,
    folder: Path,
    downloader: Callable[..., ResumingDownloader],
) -> None:
    """Bring one file to its place, unless it is there and whole.

    `sha256` is None for a RECORDS that the server publishes no checksum of.
    """
    place = folder / file
    if place.exists():
        if sha256 is None or pooch.file_hash(place) == sha256:
            return
        warnings.warn(
            f"{place} is damaged (its SHA-256 is not the published {sha256}); it is deleted "
            "and downloaded anew",
            UserWarning,
            stacklevel=4,
        )
        # Before anything else: whatever happens next, no bad file stays in place.
        place.unlink()
    source = pooch.create(path=folder, base_url=database.url(""), registry={file: sha256})
    download = downloader(part=folder / f"{file}.part")
    place.parent.mkdir(parents=True, exist_ok=True)
    with _explained(database, file, folder):
        try:
            source.fetch(file, downloader=download)
        except ValueError:  # the wrong hash; pooch has deleted the file
            if not download.resumed:
                raise
            # The bytes from an earlier try may be to blame.
            source.fetch(file, downloader=download)


@contextmanager
def _explained(database: _Database, file: str, folder: Path) -> Iterator[None]:
    """Turn what can go wrong with a download into errors that say what to do."""
    url = database.url(file)
    by_hand = (
        f"download it by hand to {folder / file}, or let ECGCLF_DATA or data_home name a "
        f"folder that holds the database in its folder '{database.name}'."
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
            f"{url} could not be downloaded ({error}). Check the network and call again: "
            f"what has come so far is kept. Or {by_hand}"
        ) from error
    except ValueError as error:
        raise ValueError(
            f"{url} came with a wrong checksum and was deleted: {error} Call again; if it "
            f"fails again, check base_url against {database.url(_SUMS)}, or {by_hand}"
        ) from error


@contextmanager
def _quiet_pooch() -> Iterator[None]:
    """Keep pooch from announcing each file: the bar does that."""
    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)


#: Answers that may be another one a moment later.
_TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})

_CHUNK = 1 << 16


class _BrokenOffError(requests.ConnectionError):
    """The server closed the connection before the whole file was sent."""


@dataclass
class ResumingDownloader:
    """A `pooch` downloader that keeps what it has got of a file, and goes on from there.

    The bytes gather in ``part``; a later try, in this call or in another process, asks the
    server for the rest with a Range header (RFC 9110, section 14). A server that knows no
    ranges sends all of it, and the file starts anew. When all is there, ``part`` moves to
    where pooch wants it, which then verifies its hash.

    Parameters
    ----------
    part : Path
        File that holds what has come so far.
    timeout : float
        Seconds to wait for a connection, and for the next bytes.
    retries : int
        How often to try again after an error that may pass: a broken connection, a timeout,
        an overloaded server.
    backoff : float
        Seconds before the first new try; each later one waits twice as long.
    session : requests.Session
        Shared among files, so that they share a connection.

    Attributes
    ----------
    resumed : bool
        Whether the file begins with bytes from an earlier try.
    """

    part: Path
    timeout: float
    retries: int
    backoff: float
    session: requests.Session = field(default_factory=requests.Session)
    resumed: bool = field(default=False, init=False)

    def __call__(self, url: str, output_file: str | os.PathLike[str], pooch: Any) -> None:
        """Download `url` to `output_file`; the signature is pooch's."""
        for tries_left in range(self.retries, -1, -1):
            try:
                self._go_on(url)
                break
            except requests.RequestException as error:
                if not tries_left or not _may_pass(error):
                    raise
                time.sleep(self.backoff * 2 ** (self.retries - tries_left))
        os.replace(self.part, output_file)

    def _go_on(self, url: str) -> None:
        """Ask for what `part` still lacks, and append it."""
        have = self.part.stat().st_size if self.part.exists() else 0
        # Ranges count the bytes that are sent, so they must be those of the file itself.
        headers = {"Accept-Encoding": "identity"}
        if have:
            headers["Range"] = f"bytes={have}-"
        with self.session.get(
            url, headers=headers, timeout=self.timeout, stream=True
        ) as response:
            if have and not _continues(response, have):
                # Nothing beyond what is here (416), or another range than asked for.
                if response.status_code in (206, 416):
                    self.part.unlink()
                    return self._go_on(url)
                have = 0
            response.raise_for_status()
            self.resumed = have > 0
            with open(self.part, "ab" if have else "wb") as file:
                for chunk in response.iter_content(_CHUNK):
                    file.write(chunk)
                size = file.tell()
        length = response.headers.get("Content-Length")
        if length is not None and size != have + int(length):
            raise _BrokenOffError(
                f"{url}: the server announced {have + int(length)} bytes and sent {size}"
            )


def _continues(response: requests.Response, offset: int) -> bool:
    """Tell whether the answer is the rest of the file from `offset` on."""
    content_range = response.headers.get("Content-Range", "")
    begins = re.match(r"bytes (\d+)-", content_range)
    return response.status_code == 206 and begins is not None and int(begins[1]) == offset


def _may_pass(error: requests.RequestException) -> bool:
    """Tell whether it is worth trying again."""
    if isinstance(error, requests.HTTPError):
        return error.response is not None and error.response.status_code in _TRANSIENT
    return isinstance(
        error,
        (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError),
    )
