"""Annotation of many recordings, with one file of each format for each recording."""

from __future__ import annotations

import os
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from joblib import Parallel, delayed
from tqdm.auto import tqdm

from ecgclf._docstrings import parameters_from
from ecgclf.datasets import find_recording, recordings_in
from ecgclf.recordings._annotate import annotate_recording
from ecgclf.recordings._annotated import AnnotatedRecording

#: Ending and method of each format.
FORMATS: dict[str, tuple[str, Callable[[AnnotatedRecording, Path], Any]]] = {
    "wfdb": (".beats", AnnotatedRecording.to_wfdb),
    "csv": (".csv", AnnotatedRecording.to_csv),
    "json": (".json", AnnotatedRecording.to_json),
    "html": (".html", AnnotatedRecording.to_html),
}


@parameters_from(annotate_recording)
def annotate_recordings(
    recordings: Iterable[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    model: Any = "holter",
    *,
    formats: Sequence[str] = ("wfdb", "csv", "json", "html"),
    report: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    n_jobs: int | None = None,
    verbose: int = 0,
    **options: Any,
) -> pd.DataFrame:
    """Annotate recordings and write the files of each into a folder.

    An interrupted run can be repeated: recordings whose files exist are skipped.

    Parameters
    ----------
    recordings : iterable of str or path-like
        Files, or folders of recordings.
    output : str or path-like
        Folder for the files; created if necessary.
    formats : sequence of str, default=("wfdb", "csv", "json", "html")
        Files to write: NAME.beats (WFDB annotations), NAME.csv, NAME.json and the report
        NAME.html.
    report : str or path-like, optional
        File for the report of a single recording instead of NAME.html.
    overwrite : bool, default=False
        Whether to annotate recordings again whose files exist.
    n_jobs : int, optional
        Number of processes. Any backend of joblib can be used, such as a Dask cluster in
        `ecgclf.search.on_dask`; its workers need the same folders.
    verbose : int, default=0
        Whether to show a progress bar.
    **options : dict
        Other parameters of `annotate_recording`.

    Returns
    -------
    DataFrame
        A row for each recording: `recording` (path), `status` ("done", "skipped" or "failed"),
        `message` and `warnings`, a list.

    Raises
    ------
    ValueError
        If there are no recordings, two have the same name, a format is unknown, or there is one
        file for several reports.

    Examples
    --------
    >>> import tempfile
    >>> from ecgclf.datasets import make_record
    >>> from ecgclf.recordings import annotate_recordings
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ["anna", "bert"]:
    ...         path = make_record(f"{folder}/in", name, duration=20, random_state=0)
    ...     done = annotate_recordings([f"{folder}/in"], f"{folder}/out", "mitbih-small")
    >>> done["status"].tolist()
    ['done', 'done']
    """
    if unknown := set(formats) - set(FORMATS):
        raise ValueError(
            f"formats={list(formats)!r}: unknown are {', '.join(sorted(unknown))}; expected some "
            f"of {', '.join(FORMATS)}."
        )
    paths = _expand(recordings)
    if report is not None and len(paths) > 1:
        raise ValueError(
            f"report={os.fspath(report)!r} is one file, but there are {len(paths)} recordings. "
            "Leave it out; each recording has its report beside its other files."
        )
    if len(paths) == 1:
        options["verbose"], verbose = verbose, 0

    def files_of(path: Path) -> dict[str, Path]:
        files = {name: Path(output) / f"{_name(path)}{FORMATS[name][0]}" for name in formats}
        return files if report is None else {**files, "html": Path(report)}

    work = Parallel(n_jobs, return_as="generator")(
        delayed(_annotate_one)(path, files_of(path), model, overwrite, options) for path in paths
    )
    rows = list(tqdm(work, "recordings", len(paths), disable=not verbose))
    return pd.DataFrame(rows, columns=["recording", "status", "message", "warnings"])


def _expand(recordings: Iterable[str | os.PathLike[str]]) -> list[Path]:
    """List the recordings, with those of folders."""
    paths: list[Path] = []
    for path in map(Path, recordings):
        paths += recordings_in(path) if path.is_dir() else [path]
    if not paths:
        raise ValueError("There are no recordings. Name files, or folders that contain some.")
    if twice := [name for name, n in Counter(map(_name, paths)).items() if n > 1]:
        raise ValueError(
            f"Several recordings have the name {', '.join(twice)}, and so would their files. "
            "Write them to different folders."
        )
    return paths


def _name(path: Path) -> str:
    """Name the recording of a path, with or without an ending."""
    try:
        return find_recording(path.expanduser()).stem
    except (OSError, ValueError):
        return path.name  # reported when it is read


def _annotate_one(
    path: Path,
    files: dict[str, Path],
    model: Any,
    overwrite: bool,
    options: dict[str, Any],
) -> tuple[str, str, str, list[str]]:
    """Annotate one recording, and describe what was done."""
    if not overwrite and all(file.exists() for file in files.values()):
        return str(path), "skipped", "its files exist; use overwrite to annotate it again", []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        try:
            annotated = annotate_recording(path, model, **options)
            for name, file in files.items():
                FORMATS[name][1](annotated, file)
            status, message = "done", str(annotated)
        except (OSError, ValueError, ImportError) as error:
            status, message = "failed", str(error)
    return str(path), status, message, [str(warning.message) for warning in caught]
