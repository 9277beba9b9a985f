"""What the loaders say about their data in `DESCR`: text only."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_MOODY = """\
Moody GB, Mark RG. The impact of the MIT-BIH Arrhythmia Database. IEEE Eng Med Biol
20(3):45-50 (2001)."""

_GOLDBERGER = """\
Goldberger AL et al. PhysioBank, PhysioToolkit, and PhysioNet: components of a new research
resource for complex physiologic signals. Circulation 101(23):e215-e220 (2000)."""

_KACHUEE = """\
Kachuee M, Fazeli S, Sarrafzadeh M. ECG heartbeat classification: a deep transferable
representation. IEEE ICHI (2018), arXiv:1805.00794."""

_PTB = """\
Bousseljot R, Kreiseler D, Schnabel A. Nutzung der EKG-Signaldatenbank CARDIODAT der PTB
ueber das Internet. Biomedizinische Technik 40(s1):317 (1995)."""

_LICENCE = "Open Data Commons Attribution License 1.0 (ODC-By)."

MITBIH = f"""\
Heartbeats of the MIT-BIH Arrhythmia Database 1.0.0
===================================================
48 half-hour ambulatory recordings of 47 subjects, two leads, 360 Hz, every beat annotated
by two cardiologists. Records 201 and 202 are one person; 102, 104, 107 and 217 are paced.

{{counts}}

Records : {{records}}
Leads   : {{leads}}
Windows : {{windows}}
Classes : AAMI EC57 by annotation symbol: N = N L R e j, S = A a J S, V = V E, F = F,
          Q = / f Q. Other annotations are no beats.
Groups  : number of the subject.
Rhythm  : {{rhythm}}

Licence : {_LICENCE}
Cite    :
{_MOODY}
{_GOLDBERGER}
"""

KAGGLE = f"""\
The Kaggle "heartbeat" MIT-BIH set
==================================
Subset "{{subset}}".
{{source}}

{{counts}}

The released files were not made as their paper says. Each row starts at a beat annotation
a[j] of channel 0 of the record (MLII, but V5 in 102, 104 and 114) and spans
int((a[j+1] - a[j]) + 0.2 * (a[j+2] - a[j+1])) samples, counting annotations of any kind;
every third sample is kept without a filter, so the rate is 120 Hz and not 125 Hz; the
window is scaled to [0, 1] and cut or padded with zeros to 187 values.

The published split divides beats, not patients: beats of the same patients stand on both
sides, so its figures do not tell how a model does on new patients.

Licence : {_LICENCE}
Cite    :
{_KACHUEE}
{_MOODY}
{_GOLDBERGER}
"""

KAGGLE_FROM_RECORDS = """\
Rebuilt from the raw records in {folder}, which were preferred to any CSV there.
The test rows stand in their published order, the training rows in the order of record and
time, as their published order is not known. `groups` is the subject, `sample` the position
of the annotation at 360 Hz; each row has its rhythm features. 999 released test rows and
ten training rows were compared and are equal bit for bit. Written as CSV, the test rows have
the size of the published file; the SHA-256 noted for it is not met, and why is not known."""

KAGGLE_FROM_CSV = """\
Read from {files}. The files tell neither the patient nor the record, lead or time of a
row: `groups`, `record`, `sample`, `lead` and `rhythm` are None. Pass the folder of the raw
records to have them."""

PTBDB = f"""\
Heartbeats of the PTB Diagnostic ECG Database 1.0.0: infarction or healthy
==========================================================================
{{source}}

{{counts}}

Licence : {_LICENCE}
Cite    :
{_PTB}
{_KACHUEE}
{_GOLDBERGER}
"""

PTBDB_FROM_RECORDS = """\
Cut from {n_used} of the {n_found} raw records in {folder}, in order of patient and record.
The class of a record is its header's "Reason for admission": "Myocardial infarction" or
"Healthy control".
Left out, as their reason is another or not given: {n_other}. Used, but without an R peak
that could be found: {n_silent}.

Leads   : {leads}
Windows : {windows}
R peaks : detected with wfdb.processing.xqrs_detect in lead {first_lead}, then moved to the
          largest deflection nearby; they were not checked by hand.
Groups  : {groups}"""

PTBDB_FROM_CSV = """\
Read from ptbdb_normal.csv (healthy) and ptbdb_abnormal.csv (infarction), in this order.
Rows are scaled to [0, 1] and padded with zeros to 187 values. The files tell neither the
patient nor the record of a row: `groups`, `record`, `sample`, `lead` and `rhythm` are None,
so no patient-wise split is possible. The rate of 125 Hz is what the paper states (which is
not true of the MIT-BIH files released with them); the lead is said to be lead II."""


def counts(target: NDArray[np.str_], target_names: Sequence[str]) -> str:
    """Say how many beats there are of each class."""
    of_class = ", ".join(f"{name} {np.sum(target == name):,}" for name in target_names)
    return f"{len(target):,} beats: {of_class}."


def listed(names: Sequence[str]) -> str:
    """List names in lines that fit beside a heading."""
    return textwrap.indent(textwrap.fill(" ".join(names), width=78), " " * 10).lstrip()


def windows(reach: str, n_samples: int, fs: float | None, fs_record: float) -> str:
    """Say how windows that reach so far were cut."""
    if fs is None:
        rate = "brought to one length"
    else:
        changed = "" if fs == fs_record else f" (resampled from {fs_record:g} Hz)"
        rate = f"at\n          {fs:g} Hz{changed}"
    return (
        f"{reach}, {n_samples} samples {rate}, in mV;\n"
        "          beyond a record's ends its edge value is repeated"
    )
