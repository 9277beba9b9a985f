"""Download one file over HTTP, going on where an earlier try broke off."""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

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
