"""Writing of files: checked before the work, written beside, then moved into place."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout


def check_writable(path: str | os.PathLike[str]) -> None:
    """Raise an OSError if a file cannot be written at `path`."""
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder. Name a file in it.")
    folder = _check_folder(path)
    if not _is_special(path):
        try:
            tempfile.TemporaryFile(dir=folder).close()
        except OSError as error:
            raise type(error)(
                f"{path} cannot be written: {folder} takes no new file ({error.strerror})."
            ) from error


@contextmanager
def locked(path: Path, *, wait: bool = True) -> Iterator[None]:
    """Let one process at a time work on a file or folder, which need not exist.

    With ``wait=False``, a BlockingIOError says that another process works on it. The operating
    system releases the lock of a killed process.
    """
    _check_folder(path)
    file = path.with_name(f".{path.name}.lock")
    lock = FileLock(file)
    try:
        lock.acquire(timeout=-1 if wait else 0)
    except Timeout as error:
        raise BlockingIOError(f"{path} is being written by another process.") from error
    try:
        yield
    finally:
        # filelock notices that the file it waited for was removed, and makes a new one. Windows
        # removes it later.
        with suppress(OSError):
            file.unlink()
        lock.release()


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield the path of a file beside `path`, which replaces it when it is complete.

    The file beside has one name, so a process that is killed leaves at most one behind, which
    the next one overwrites. Another process that writes `path` waits. After an error the file
    beside is removed, and `path` is unchanged. An OSError names `path`.
    """
    path = Path(path)
    if _is_special(path):
        yield path
        return
    part = path.with_name(f".{path.name}.part")
    try:
        with locked(path):
            try:
                yield part
                with part.open("rb+") as file:
                    os.fsync(file.fileno())
                os.replace(part, path)
            finally:
                part.unlink(missing_ok=True)
    except OSError as error:
        if error.filename in (None, os.fspath(part), part) and error.strerror:
            raise OSError(error.errno, error.strerror, os.fspath(path)) from error
        raise


@contextmanager
def filling(folder: Path) -> Iterator[None]:
    """Write several files into a new folder; after an error it is empty again.

    The folder must be absent or empty, and no other process may be writing to it. An OSError that
    names no file gets the name of the folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder, wait=False):
        if any(folder.iterdir()):
            raise FileExistsError(f"{folder} is not empty. Choose another folder, or delete it.")
        try:
            yield
        except BaseException as error:
            for path in folder.iterdir():
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            if isinstance(error, OSError) and error.strerror and error.filename is None:
                raise OSError(error.errno, error.strerror, os.fspath(folder)) from error
            raise


def _check_folder(path: Path) -> Path:
    """Return the folder of a path, which must exist."""
    folder = path.absolute().parent
    if not folder.is_dir():
        raise FileNotFoundError(f"{path} cannot be written: there is no folder {folder}.")
    return folder


def _is_special(path: Path) -> bool:
    """Return whether a path is a device or a pipe, such as /dev/stdout."""
    return path.exists() and not path.is_file()
