"""Annotated recordings and the files that are written of them."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecgclf._docstrings import parameters_from
from ecgclf._files import replacing
from ecgclf.datasets import AAMI_CLASSES, Recording
from ecgclf.persistence import card_facts
from ecgclf.recordings._report import ReportData, render_report
from ecgclf.recordings._rhythm import RhythmReport, rhythm_report

#: Symbol of WFDB for a change of signal quality, with these codes for unreadable and readable
#: signals.
_QUALITY, _UNREADABLE, _READABLE = "~", -1, 0

#: Symbol of WFDB for a peak that may be no beat.
_ARTIFACT = "|"


@dataclass(frozen=True)
class AnnotatedRecording:
    """Recording with labelled beats, as `annotate_recording` returns it.

    Attributes
    ----------
    recording : Recording
        The whole recording, with all leads that were read.
    beats : DataFrame
        A row for each beat: `time` in s from the start of the recording, `sample`, `label`, the
        probability of each class in a column of its name, `quality` from 0 (noise or no signal)
        to 1 (no noise), and `uncertain`.
    unreadable : ndarray of int64, shape (n_stretches, 2)
        First sample and end of each unreadable stretch.
    start, stop : int
        First sample and end of the analysed part.
    leads : tuple of str
        Leads that were classified.
    model : str
        Name of the model.
    classes : tuple of str
        Classes of the model.
    """

    recording: Recording
    beats: pd.DataFrame
    unreadable: NDArray[np.int64]
    start: int
    stop: int
    leads: tuple[str, ...]
    model: str
    classes: tuple[str, ...]

    @property
    def fs(self) -> float:
        """Sampling rate of the recording in Hz."""
        return self.recording.fs

    @property
    def n_samples(self) -> int:
        """Number of samples of the recording."""
        return self.recording.n_samples

    @cached_property
    def rhythm(self) -> RhythmReport:
        """Rhythm of the analysed part, as from `rhythm_report`."""
        return rhythm_report(
            self.beats["sample"],
            self.beats["label"],
            self.fs,
            start=self.start,
            stop=self.stop,
            unreadable=self.unreadable,
            clock=self.recording.start,
        )

    @property
    def summary(self) -> dict[str, Any]:
        """Summary of the rhythm."""
        return self.rhythm.summary

    def to_wfdb(self, path: str | os.PathLike[str]) -> Path:
        """Write a WFDB annotation file; the user guide lists the symbols.

        Parameters
        ----------
        path : str or path-like
            File to write. Its ending, of letters, is the annotator, as in "night.beats". A
            viewer finds it beside the record with the same stem.

        Returns
        -------
        Path

        Raises
        ------
        ValueError
            If the ending is not of letters, or a label is no symbol of WFDB.
        """
        from wfdb import wrann
        from wfdb.io.annotation import ann_label_table

        path = Path(path)
        annotator = path.suffix[1:]
        if not (annotator.isascii() and annotator.isalpha()):
            raise ValueError(
                f"{path} has the ending {path.suffix!r}; expected one of letters, such as "
                f"{path.stem}.beats."
            )
        if unknown := set(self.beats["label"]) - set(ann_label_table["symbol"]):
            raise ValueError(
                f"The labels {', '.join(sorted(unknown))} are no symbols of WFDB. Use to_csv."
            )
        marks = self._marks()
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as folder, replacing(path) as file:
            # wfdb accepts few characters in the names of records.
            wrann(
                "record",
                annotator,
                marks["sample"].to_numpy(),
                marks["symbol"].tolist(),
                subtype=marks["subtype"].to_numpy(),
                aux_note=marks["note"].tolist(),
                fs=self.fs,
                write_dir=folder,
            )
            shutil.move(f"{folder}/record.{annotator}", file)
        return path

    def to_json(self, path: str | os.PathLike[str]) -> Path:
        """Write everything but the signal as JSON, with a list for each column of `beats`.

        Parameters
        ----------
        path : str or path-like
            File to write.

        Returns
        -------
        Path
        """
        start = self.recording.start
        content = {
            "recording": self.recording.name,
            "recording_start": None if start is None else start.isoformat(),
            "fs": self.fs,
            "n_samples": self.n_samples,
            "analysed": [self.start, self.stop],
            "leads": self.leads,
            "model": self.model,
            "classes": self.classes,
            "unreadable": self.unreadable,
            "summary": self.summary if set(self.classes) <= set(AAMI_CLASSES) else None,
            "beats": self._rounded().to_dict("list"),
        }
        return _write(path, json.dumps(content, default=lambda value: value.tolist()) + "\n")

    @parameters_from(to_json)
    def to_csv(self, path: str | os.PathLike[str]) -> Path:
        """Write the table of beats.

        Returns
        -------
        Path

        Raises
        ------
        ValueError
            If the ending is that of WFDB annotations, ".atr".
        """
        if Path(path).suffix.lower() == ".atr":
            raise ValueError(
                f"{path} is a name of WFDB annotations, and a table is CSV. Choose the ending "
                ".csv."
            )
        return _write(path, self._rounded().to_csv(index=False, lineterminator="\n"))

    @parameters_from(to_json)
    def to_html(self, path: str | os.PathLike[str], *, full_disclosure: bool = True) -> Path:
        """Write a report as one HTML file, which needs no network and prints on A4 paper.

        Parameters
        ----------
        full_disclosure : bool, default=True
            Whether to include the whole first lead, in rows of one minute.

        Returns
        -------
        Path

        Raises
        ------
        ValueError
            If there are other labels than the AAMI classes N, S, V, F and Q.
        """
        return _write(path, self._render(full_disclosure=full_disclosure))

    def _render(self, *, full_disclosure: bool = False) -> str:
        data = ReportData(
            self.recording.pick(self.leads),
            self.beats,
            self.rhythm,
            self.start,
            self.stop,
            self.unreadable,
            self.model,
            card_facts(self.model),
        )
        return render_report(data, full_disclosure=full_disclosure)

    def _repr_html_(self) -> str:
        return (
            f'<iframe srcdoc="{escape(self._render())}" title="Report" '
            'style="width: 100%; height: 80vh; border: 0"></iframe>'
        )

    def _rounded(self) -> pd.DataFrame:
        return self.beats.round({"time": 4, **dict.fromkeys(["quality", *self.classes], 4)})

    def _marks(self) -> pd.DataFrame:
        """Combine beats and changes of quality in order of time."""
        beats = pd.DataFrame(
            {
                "sample": self.beats["sample"],
                "symbol": self.beats["label"].mask(self.beats["quality"] == 0, _ARTIFACT),
                "subtype": 0,
                "note": np.where(self.beats["uncertain"], "?", ""),
            }
        )
        changes = pd.DataFrame(
            {
                "sample": self.unreadable.ravel(),
                "symbol": _QUALITY,
                "subtype": np.tile([_UNREADABLE, _READABLE], len(self.unreadable)),
                "note": "",
            }
        )
        # The recording ends at `stop`; there is nothing to mark.
        changes = changes[changes["sample"] < self.n_samples]
        return pd.concat([changes, beats]).sort_values("sample", kind="stable")

    def __str__(self) -> str:
        name, counts = self.recording.name, self.beats["label"].value_counts()
        of_class = ", ".join(f"{c}: {counts[c]:,}" for c in self.classes if c in counts)
        return f"<AnnotatedRecording {name}: {len(self.beats):,} beats ({of_class})>"


def _write(path: str | os.PathLike[str], text: str) -> Path:
    """Write a file, and the folders that it needs."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as file:
        file.write_text(text, encoding="utf-8")
    return path
