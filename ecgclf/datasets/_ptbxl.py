"""Loader of PTB-XL: twelve-lead recordings with SCP-ECG statements."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from numbers import Integral
from pathlib import Path
from typing import Any, Literal, TypeAlias, overload

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from ecgclf._docstrings import parameters_from
from ecgclf._validation import is_number
from ecgclf.datasets._annotations import RecordError
from ecgclf.datasets._beats import check_leads, convert
from ecgclf.datasets._databases import find_database, underline, wrap_names
from ecgclf.datasets._recordings import Leads, find_lead
from ecgclf.datasets._wfdb import decode_signals, read_header

#: Leads of every record, in order.
PTBXL_LEADS = ("I", "II", "III", "AVR", "AVL", "AVF", "V1", "V2", "V3", "V4", "V5", "V6")

#: Diagnostic superclasses, in the order of the publication.
SUPERCLASSES = ("NORM", "MI", "STTC", "CD", "HYP")

_SECONDS = 10

_DATABASE, _STATEMENTS = "ptbxl_database.csv", "scp_statements.csv"

#: Column with the file of a record, and the folder of these files, by sampling rate.
_FILES = {100: ("filename_lr", "records100"), 500: ("filename_hr", "records500")}

#: Multi-label tasks of Strodthoff et al.: column of the statements that marks those of the
#: task, and column with their label, both None for all statements and their own names.
_TASKS: dict[str, tuple[str | None, str | None]] = {
    "superclass": ("diagnostic", "diagnostic_class"),
    "subclass": ("diagnostic", "diagnostic_subclass"),
    "diagnostic": ("diagnostic", None),
    "form": ("form", None),
    "rhythm": ("rhythm", None),
    "all": (None, None),
}

#: Classes of the task "mi", named as in `load_ptbdb`.
_MI_CLASSES = ("healthy", "infarction")

#: A task by name, the statements of each label, or a function from the statements of a record
#: and their likelihoods to its label.
Task: TypeAlias = (
    Literal["superclass", "subclass", "diagnostic", "form", "rhythm", "all", "mi"]
    | Mapping[str, Collection[str]]
    | Callable[[dict[str, float]], Any]
)

_DESCR = """\
{title}
{n:,} recordings of {n_patients:,} patients, {fs} Hz, {seconds} s, in mV.
The folder lists {n_listed:,} of the 21,799 published records.

Labels  : {counts}
Task    : {task}; diagnostic statements count from a likelihood of {least:g} %.
Left out: {n_unlabelled:,} records without a label of the task, {n_missing:,} without files.
Folds   : {folds}
Leads   : {leads}
Groups  : number of the patient.
{cite}"""


@dataclass(frozen=True, eq=False, repr=False)
class RecordingSet:
    """Recordings of equal length with their labels and origin.

    Attributes
    ----------
    data : ndarray of shape (n_recordings, n_leads, n_samples)
        The signals in mV, float32; NaN where a sample is missing.
    target : ndarray of shape (n_recordings,) or (n_recordings, n_labels)
        Label of each recording; or, for several labels at once, an indicator matrix of 0 and 1
        with a column for each of `target_names`.
    target_names : tuple
        The labels.
    groups : ndarray of shape (n_recordings,)
        Patient of each recording.
    record : ndarray of shape (n_recordings,)
        Identifier of each recording.
    fold : ndarray of int, shape (n_recordings,)
        Fold of each recording. The recordings of a patient are in one fold.
    leads : tuple of str
        Names of the leads.
    fs : float
        Sampling rate in Hz.
    metadata : DataFrame of n_recordings rows
        Their rows in the table of the database, with age, sex and report.
    DESCR : str
        Description of the data, with its source, licence and citation.
    """

    data: NDArray[np.float32]
    target: NDArray[Any]
    target_names: tuple[Any, ...]
    groups: NDArray[Any]
    record: NDArray[Any]
    fold: NDArray[np.int64]
    leads: tuple[str, ...]
    fs: float
    metadata: pd.DataFrame
    DESCR: str

    def __repr__(self) -> str:
        shape = ", ".join(map(str, self.data.shape))
        return f"RecordingSet(data of shape ({shape}), target_names={self.target_names})"

    def __len__(self) -> int:
        return len(self.data)

    def select(self, rows: ArrayLike | slice) -> RecordingSet:
        """Select recordings.

        Parameters
        ----------
        rows : array-like or slice
            A boolean mask of shape (n_recordings,), integer positions, or a slice.

        Returns
        -------
        RecordingSet
            With every field that has one entry per recording reduced to `rows`.
        """
        at = np.arange(len(self))[rows if isinstance(rows, slice) else np.asarray(rows)]
        names = ("data", "target", "groups", "record", "fold")
        parts: dict[str, Any] = {name: getattr(self, name)[at] for name in names}
        return replace(self, **parts, metadata=self.metadata.iloc[at])


@overload
def load_ptbxl(
    path: str | Path,
    *,
    task: Task = ...,
    fs: Literal[100, 500] = ...,
    folds: int | Iterable[int] | None = ...,
    leads: Leads = ...,
    min_likelihood: float = ...,
    return_X_y: Literal[False] = ...,
) -> RecordingSet: ...
@overload
def load_ptbxl(
    path: str | Path,
    *,
    task: Task = ...,
    fs: Literal[100, 500] = ...,
    folds: int | Iterable[int] | None = ...,
    leads: Leads = ...,
    min_likelihood: float = ...,
    return_X_y: Literal[True],
) -> tuple[NDArray[np.float32], NDArray[Any]]: ...


@parameters_from(convert)
def load_ptbxl(
    path: str | Path,
    *,
    task: Task = "superclass",
    fs: Literal[100, 500] = 100,
    folds: int | Iterable[int] | None = None,
    leads: Leads = None,
    min_likelihood: float = 0.0,
    return_X_y: bool = False,
) -> RecordingSet | tuple[NDArray[np.float32], NDArray[Any]]:
    """Load the twelve-lead recordings of PTB-XL [1]_, whole or in part.

    Parameters
    ----------
    path : str or Path
        Folder with ``ptbxl_database.csv``, ``scp_statements.csv`` and ``records100`` or
        ``records500``, as returned by ``fetch("ptb-xl")``.
    task : str, mapping or callable, default="superclass"
        Labels of the recordings. Several labels at once, as an indicator matrix:

        - "superclass": NORM, MI, STTC, CD and HYP (normal, myocardial infarction, ST and T
          changes, conduction disturbance, hypertrophy);
        - "subclass", "diagnostic", "form", "rhythm", "all": the 23 diagnostic subclasses, the
          44 diagnostic, 19 form and 12 rhythm statements, and all 71, as in [2]_. Recordings
          without any label of a named task are left out;
        - a mapping from labels to their statements, such as
          ``{"AF": ["AFIB", "AFLT"], "paced": ["PACE"]}``. Recordings without any are kept.

        One label, as an array of labels:

        - "mi": "infarction" with a statement of the superclass MI, "healthy" with statements of
          the superclass NORM alone; other recordings are left out;
        - a function from the statements of a recording, a dict such as
          ``{"NORM": 80.0, "SR": 0.0}`` of likelihoods in percent, to its label, or None to
          leave it out.
    fs : {100, 500}, default=100
        Sampling rate in Hz. Both are published; nothing is resampled.
    folds : int, iterable of int or None, default=None
        Folds to load, 1 to 10. The published protocol trains on 1 to 8, chooses on 9 and tests
        on 10. None loads all.
    leads : str, int, sequence of these or None, default=None
        Leads by name in any case, such as ``"II"`` or ``("I", "V2")``, or by number from 0. None
        takes all twelve.
    min_likelihood : float, default=0.0
        Smallest likelihood, in percent, with which a diagnostic statement counts. By default
        all statements count, as in [2]_. Likelihoods of form and rhythm statements are unknown
        (0), so these always count. A recording is "healthy" only if it has no statement of
        another superclass, however unlikely. A function as `task` gets all statements.

    Returns
    -------
    RecordingSet or tuple (data, target)
        ``data`` is float32 in mV of shape (n_recordings, n_leads, n_samples), with 1,000
        samples at 100 Hz and 5,000 at 500 Hz. ``record`` is the number of the recording
        (``ecg_id``), ``groups`` the number of the patient. The order is that of
        ``ptbxl_database.csv``.

    Raises
    ------
    FileNotFoundError
        If a table or the files of all recordings are missing.
    RecordError
        If a file is truncated, fails its checksum, or is not a recording of PTB-XL.
    ValueError
        If a parameter is invalid, or no recording has a label of the task.

    Warns
    -----
    UserWarning
        If files of listed recordings are missing, with their number. These recordings are left
        out.

    References
    ----------
    .. [1] Wagner P, Strodthoff N, Bousseljot R, Kreiseler D, Lunze FI, Samek W, Schaeffter T.
       PTB-XL, a large publicly available electrocardiography dataset. Sci Data 7:154, 2020.
    .. [2] Strodthoff N, Wagner P, Schaeffter T, Samek W. Deep learning for ECG analysis:
       benchmarks and insights from PTB-XL. IEEE J Biomed Health Inform 25(5), 2021.

    Examples
    --------
    >>> import tempfile
    >>> from ecgclf.datasets import load_ptbxl, make_ptbxl
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     recordings = load_ptbxl(make_ptbxl(folder, n_records=20, random_state=0))
    >>> recordings.data.shape, recordings.target.shape, recordings.target_names
    ((20, 12, 1000), (20, 5), ('NORM', 'MI', 'STTC', 'CD', 'HYP'))
    >>> test = recordings.select(recordings.fold == 10)
    """
    folder = Path(path).expanduser()
    if fs not in _FILES:
        raise ValueError(f"fs={fs!r}: PTB-XL is published at 100 and 500 Hz. Give one of them.")
    if not is_number(min_likelihood) or not 0 <= min_likelihood <= 100:
        raise ValueError(f"min_likelihood={min_likelihood!r}: expected a percentage, 0 to 100.")
    rows = [find_lead(lead, PTBXL_LEADS, "PTB-XL") for lead in check_leads(leads) or PTBXL_LEADS]
    wanted = _check_folds(folds)

    listed = _read_table(folder, _DATABASE, ("scp_codes", "strat_fold", "patient_id"))
    statements = _read_table(folder, _STATEMENTS, ("diagnostic", "diagnostic_class"))
    in_folds = listed[listed["strat_fold"].isin(wanted)]
    codes = [ast.literal_eval(text) for text in in_folds["scp_codes"]]
    target, target_names, labelled = _label(codes, task, statements, float(min_likelihood))
    if not labelled.any():
        raise ValueError(
            f"None of the {len(codes):,} recordings in the folds {wanted} has a label of the "
            f"task {task!r}. Choose another task or other folds."
        )
    there = _with_files(folder, in_folds[labelled], fs)
    target, table = target[there], in_folds[labelled][there]

    data = np.empty((len(table), len(rows), _SECONDS * fs), dtype=np.float32)
    for signals, name in zip(data, table[_FILES[fs][0]]):
        _read_into(signals, folder / name, fs, rows)
    if return_X_y:
        return data, target
    names = tuple(PTBXL_LEADS[row] for row in rows)
    descr = _DESCR.format(
        title=underline("Recordings of PTB-XL 1.0.3"),
        n=len(table),
        n_patients=table["patient_id"].nunique(),
        fs=fs,
        seconds=_SECONDS,
        n_listed=len(listed),
        counts=_count_labels(target, target_names),
        task=f'"{task}"' if isinstance(task, str) else "given by the caller",
        least=min_likelihood,
        n_unlabelled=np.sum(~labelled),
        n_missing=np.sum(~there),
        folds=" ".join(map(str, wanted)),
        leads=" ".join(names),
        cite=find_database("ptb-xl").cite,
    )
    return RecordingSet(
        data=data,
        target=target,
        target_names=target_names,
        groups=table["patient_id"].to_numpy().astype(np.int64),
        record=table["ecg_id"].to_numpy(),
        fold=table["strat_fold"].to_numpy(),
        leads=names,
        fs=float(fs),
        metadata=table.reset_index(drop=True),
        DESCR=descr,
    )


def _check_folds(folds: int | Iterable[int] | None) -> list[int]:
    """Return the folds to load, in order."""
    if folds is None:
        return list(range(1, 11))
    chosen = list(folds) if isinstance(folds, Iterable) else [folds]
    if not chosen or not all(isinstance(f, Integral) and 1 <= f <= 10 for f in chosen):
        raise ValueError(
            f"folds={folds!r}: expected numbers from 1 to 10, such as range(1, 9), or None."
        )
    return sorted({int(fold) for fold in chosen})


def _read_table(folder: Path, name: str, columns: tuple[str, ...]) -> pd.DataFrame:
    """Read a table of the database, and check that it has the columns."""
    file = folder / name
    if not file.is_file():
        raise FileNotFoundError(
            f'{file} is missing. Check the path; fetch("ptb-xl") downloads the database and '
            "returns its folder."
        )
    table = pd.read_csv(file, low_memory=False)
    if missing := [column for column in columns if column not in table]:
        raise ValueError(f"{file} has no column {', '.join(missing)}. Download it again.")
    return table


def _label(
    codes: list[dict[str, float]], task: Task, statements: pd.DataFrame, least: float
) -> tuple[NDArray[Any], tuple[Any, ...], NDArray[np.bool_]]:
    """Return the labels of the recordings with one, all names, and which recordings these are."""
    table = statements.set_index(statements.columns[0])
    diagnostic = table[table["diagnostic"] == 1]
    of_class = dict(zip(diagnostic.index, diagnostic["diagnostic_class"]))

    if callable(task) or task == "mi":
        label = task if callable(task) else partial(_infarction, of_class=of_class, least=least)
        labels = [label(dict(record)) for record in codes]
        labelled = np.array([given is not None for given in labels], dtype=bool)
        single = np.array([given for given in labels if given is not None])
        names = _MI_CLASSES if task == "mi" else tuple(np.unique(single).tolist())
        return single, names, labelled

    names, label_of = _labels_of_statements(task, table)
    column = {name: i for i, name in enumerate(names)}
    target = np.zeros((len(codes), len(names)), dtype=np.int64)
    for row, record in zip(target, codes):
        for statement, percent in record.items():
            if statement not in of_class or percent >= least:
                row[[column[name] for name in label_of.get(statement, ())]] = 1
    labelled = np.asarray(target.any(axis=1) | (not isinstance(task, str)))
    return target[labelled], names, labelled


def _infarction(record: dict[str, float], of_class: dict[str, str], least: float) -> str | None:
    """Label a recording in the task "mi"."""
    likelihoods: dict[str, float] = {}
    for statement, percent in record.items():
        if name := of_class.get(statement):
            likelihoods[name] = max(percent, likelihoods.get(name, 0.0))
    if likelihoods.get("MI", -1.0) >= least:
        return "infarction"
    # With another statement, even an unlikely one, a recording is not clearly normal.
    return "healthy" if list(likelihoods) == ["NORM"] and likelihoods["NORM"] >= least else None


def _labels_of_statements(
    task: str | Mapping[str, Collection[str]], table: pd.DataFrame
) -> tuple[tuple[str, ...], dict[str, list[str]]]:
    """Return the labels of a multi-label task, and those that each statement gives."""
    if isinstance(task, str) and task in _TASKS:
        marks, label = _TASKS[task]
        part = table if marks is None else table[table[marks] == 1]
        values = part.index if label is None else part[label]
        names = SUPERCLASSES if task == "superclass" else tuple(dict.fromkeys(values))
        return names, {statement: [value] for statement, value in zip(part.index, values)}
    if not isinstance(task, Mapping) or not task:
        raise ValueError(
            f"task={task!r}: expected one of {', '.join(map(repr, [*_TASKS, 'mi']))}, a mapping "
            "from labels to their statements, or a function."
        )
    label_of: dict[str, list[str]] = {}
    for name, given in task.items():
        unknown = [given] if isinstance(given, str) else sorted(set(given) - set(table.index))
        if unknown or not given:
            raise ValueError(
                f"task[{name!r}]={given!r}: expected a list of statements in {_STATEMENTS}, such "
                f"as ['AFIB', 'AFLT']; {unknown} is not one."
            )
        for statement in given:
            label_of.setdefault(statement, []).append(name)
    return tuple(task), label_of


def _with_files(folder: Path, table: pd.DataFrame, fs: int) -> NDArray[np.bool_]:
    """Find the recordings that have both files, and warn of the others."""
    column, subfolder = _FILES[fs]
    there = np.array(
        [all((folder / f"{n}{s}").is_file() for s in (".hea", ".dat")) for n in table[column]],
        dtype=bool,
    )
    if not there.any():
        raise FileNotFoundError(
            f"{folder} has the files of none of the {len(table):,} recordings at {fs} Hz, "
            f'expected in {folder / subfolder}. fetch("ptb-xl", records=["{subfolder}"]) '
            "downloads them."
        )
    if n_missing := int(np.sum(~there)):
        warnings.warn(
            f"{folder} lacks the files of {n_missing:,} of the {len(table):,} recordings at "
            f"{fs} Hz, the first {folder / table[column].to_numpy()[~there][0]}. They are left "
            "out.",
            UserWarning,
            stacklevel=3,
        )
    return there


def _read_into(signals: NDArray[np.float32], place: Path, fs: int, rows: list[int]) -> None:
    """Read leads of a record in mV, and check it against its header.

    All records of the database have one form. Reading only this form is several times as fast
    as `read_recording`.
    """
    header = read_header(place.with_suffix(".hea"))
    n_samples, specs = signals.shape[1], header.signals
    expected = [(lead, 16, "mV", f"{place.name}.dat") for lead in PTBXL_LEADS]
    found = [(spec.name, spec.format, spec.unit, spec.file) for spec in specs]
    if (header.fs, header.n_frames, found) != (fs, n_samples, expected):
        raise RecordError(
            f"{header.path} does not describe a recording of PTB-XL: {len(PTBXL_LEADS)} leads in "
            f"mV and format 16, {n_samples:,} samples at {fs} Hz. Download it again."
        )
    adc = decode_signals(header, range(len(specs)))
    for signal, row in zip(signals, rows):
        signal[:] = adc[row]
        signal -= np.float32(specs[row].baseline)
        signal /= np.float32(specs[row].gain)
        signal[adc[row] == specs[row].missing] = np.nan


def _count_labels(target: NDArray[Any], names: tuple[Any, ...]) -> str:
    """Describe the number of recordings with each label."""
    counts = target.sum(axis=0) if target.ndim == 2 else [np.sum(target == n) for n in names]
    return wrap_names(", ".join(f"{name} {n:,}" for name, n in zip(names, counts)).split())
