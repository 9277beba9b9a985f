"""R peak detectors compared with the annotated beats of two databases, by class and with noise.

A detected peak is correct if it lies within 150 ms of an annotated beat.
`wfdb.processing.compare_annotations` matches each beat with at most one peak. All annotated beats
count, including those of the first minutes. The flutter waves of record 207 are not annotated as
beats, so peaks found there count as wrong. The parameters of `detect_r_peaks` were chosen on DS1
and the first 20 svdb records; DS2 and the other svdb records are reported apart.
Their results were seen before the last changes of the detector, so they are not an independent
test.

With noise, the records 103, 111, 119, 200, 203, 208, 212 and 233 of mitdb get the noise of nstdb
from minute 5 on, in every other two minutes, at the given ratio of QRS to noise power as the
program `nst` of the WFDB tools defines it.

Detectors that are not installed are left out: pip install sleepecg neurokit2.

    python -m benchmarks.accuracy.r_peaks
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterable
from importlib.util import find_spec

import numpy as np
import pandas as pd
import wfdb
from joblib import Memory
from numpy.typing import NDArray
from tqdm.auto import tqdm
from wfdb.processing import compare_annotations, gqrs_detect, resample_sig, xqrs_detect

from benchmarks.common.arguments import make_parser, select_names
from benchmarks.common.data import RUNS, find_records
from benchmarks.common.provenance import write_results
from benchmarks.models.r_peaks import (
    N_SVDB,
    TOLERANCE,
    AnnotatedRecord,
    read_annotated,
    svdb_names,
)
from ecgclf.datasets import AAMI_CLASSES, DS1, DS2, MITBIH_RECORDS, detect_r_peaks

Peaks = NDArray[np.int64]

#: Records that get noise.
NOISY_RECORDS = "103 111 119 200 203 208 212 233".split()

#: Ratios of QRS power to noise power in dB.
RATIOS = (24, 18, 12, 6, 0, -6)

#: Half the width in s of the window in which the amplitude of a QRS complex is measured.
QRS_REACH = 0.05


def _ours(leads: NDArray, fs: float) -> Peaks:
    return detect_r_peaks(leads[0], fs)


def _ours_all_leads(leads: NDArray, fs: float) -> Peaks:
    return detect_r_peaks(leads, fs)


def _xqrs(leads: NDArray, fs: float) -> Peaks:
    # Its thresholds find few beats at other rates.
    slow, _ = resample_sig(leads[0], fs, 250)
    return np.rint(xqrs_detect(slow, 250, verbose=False) * fs / 250).astype(np.int64)


def _gqrs(leads: NDArray, fs: float) -> Peaks:
    return np.asarray(gqrs_detect(leads[0], fs=fs), dtype=np.int64)


def _sleepecg(leads: NDArray, fs: float) -> Peaks:
    from sleepecg import detect_heartbeats

    return detect_heartbeats(leads[0], fs)


def _neurokit(leads: NDArray, fs: float) -> Peaks:
    import neurokit2 as nk

    clean = nk.ecg_clean(leads[0], sampling_rate=round(fs))
    return nk.ecg_peaks(clean, sampling_rate=round(fs))[1]["ECG_R_Peaks"].astype(np.int64)


#: Detectors by name; all but the second see the first lead only.
DETECTORS: dict[str, Callable[[NDArray, float], Peaks]] = {
    "ecgclf, one lead": _ours,
    "ecgclf, two leads": _ours_all_leads,
    "xqrs (wfdb)": _xqrs,
    "gqrs (wfdb)": _gqrs,
}
if find_spec("sleepecg"):
    DETECTORS["sleepecg"] = _sleepecg
if find_spec("neurokit2"):
    DETECTORS["NeuroKit2"] = _neurokit

#: Detectors that are too slow to be run with noise.
WITHOUT_NOISE = ("gqrs (wfdb)",)


def compare(record: AnnotatedRecord, peaks: Peaks) -> dict[str, float]:
    """Count the found and missed beats of each class and the wrong peaks."""
    # Distances must be smaller than the window.
    window = round(TOLERANCE * record.fs) + 1
    result = compare_annotations(record.beats, peaks, window)
    found = result.matching_sample_nums >= 0
    counts = {"beats": len(found), "found": int(found.sum()), "wrong": int(result.fp)}
    for name in AAMI_CLASSES:
        of_class = record.classes == name
        counts[f"beats {name}"] = int(of_class.sum())
        counts[f"found {name}"] = int(found[of_class].sum())
    return counts


def summarise(counts: Iterable[dict[str, float]]) -> dict[str, float | None]:
    """Sum counts over records and give sensitivity and positive predictivity."""
    gross = pd.DataFrame(counts).sum()
    detected = gross["found"] + gross["wrong"]
    classes = {
        name: round(gross[f"found {name}"] / gross[f"beats {name}"], 4)
        if gross[f"beats {name}"]
        else None
        for name in AAMI_CLASSES
    }
    return {
        "beats": int(gross["beats"]),
        "missed": int(gross["beats"] - gross["found"]),
        "wrong": int(gross["wrong"]),
        "sensitivity": round(gross["found"] / gross["beats"], 4),
        "positive_predictivity": round(gross["found"] / detected, 4) if detected else None,
        **classes,
    }


def add_noise(record: AnnotatedRecord, noise: NDArray, ratio: float) -> AnnotatedRecord:
    """Add noise from minute 5 on, in every other two minutes.

    Parameters
    ----------
    record : AnnotatedRecord
        A record of mitdb, at the rate of the noise.
    noise : ndarray of shape (2, n_samples)
        Noise of each lead.
    ratio : float
        QRS power over noise power in dB: the squared peak-to-peak amplitude over eight, trimmed
        by 5 % on both sides over the first 300 beats, over the variance of the noise.

    Returns
    -------
    AnnotatedRecord
        With the same beats.
    """
    n_samples = record.leads.shape[1]
    reach = round(QRS_REACH * record.fs)
    minute = np.arange(n_samples) / record.fs / 60
    noisy = (minute >= 5) & ((minute - 5) % 4 < 2)
    leads = record.leads.copy()
    for lead, own in zip(leads, noise[:, :n_samples]):
        heights = np.sort(
            [np.ptp(lead[max(beat - reach, 0) : beat + reach]) for beat in record.beats[:300]]
        )
        power = np.mean(heights[15:-15]) ** 2 / 8
        lead += noisy * own * np.sqrt(power / 10 ** (ratio / 10) / np.var(own))
    return AnnotatedRecord(record.name, record.fs, leads, record.beats, record.classes)


def main() -> None:
    """Run the benchmark."""
    parser = make_parser(__doc__, output="r-peaks", only="detectors")
    options = parser.parse_args()
    started = time.time()
    mitdb = find_records(options.data)
    svdb, nstdb = mitdb.parent / "svdb", mitdb.parent / "nstdb_noise"
    names = {"mitdb": MITBIH_RECORDS, "svdb": svdb_names(svdb)}
    groups = {
        "mitdb, all 48 records": ("mitdb", MITBIH_RECORDS),
        "mitdb, DS1 (parameters chosen)": ("mitdb", DS1),
        "mitdb, DS2": ("mitdb", DS2),
        f"svdb, all {len(names['svdb'])} records": ("svdb", names["svdb"]),
        f"svdb, first {N_SVDB} (parameters chosen)": ("svdb", names["svdb"][:N_SVDB]),
        "svdb, the others": ("svdb", names["svdb"][N_SVDB:]),
    }
    remember = Memory(RUNS / "r_peaks", verbose=0).cache
    clean, noisy, times, per_record = [], [], [], []
    for detector in select_names(DETECTORS, options.only):
        # Only detectors of other packages are cached.
        count = _count if detector.startswith("ecgclf") else remember(_count)
        counts, seconds, hours = {}, 0.0, 0.0
        for database, folder in (("mitdb", mitdb), ("svdb", svdb)):
            for name in tqdm(names[database], desc=f"{detector}, {database}", disable=None):
                counts[database, name], cpu, duration = count(detector, str(folder), name)
                seconds, hours = seconds + cpu, hours + duration / 3600
        for group, (database, members) in groups.items():
            row = summarise(counts[database, name] for name in members)
            clean.append({"records": group, "detector": detector, **row})
        times.append(
            {"detector": detector, "cpu_seconds_per_24h": round(24 * seconds / hours, 1)}
        )
        if detector.startswith("ecgclf"):
            per_record += [
                {"detector": detector, "database": database, "record": name, **count}
                for (database, name), count in counts.items()
            ]
        with_noise = nstdb.is_dir() and detector not in WITHOUT_NOISE
        for kind in ("em", "ma", "bw") if with_noise else ():
            for ratio in RATIOS:
                row = summarise(
                    count(detector, str(mitdb), name, str(nstdb / kind), ratio)[0]
                    for name in NOISY_RECORDS
                )
                noisy.append({"noise": kind, "ratio_db": ratio, "detector": detector, **row})
    for table in (clean, noisy, times):
        print(pd.DataFrame(table).to_string(index=False), end="\n\n")
    # The detectors are deterministic.
    parts = {
        "": {"clean": clean, "time": times, "records": per_record},
        "-noise": {"noise": noisy},
    }
    for part, figures in parts.items():
        packages = ["wfdb", *(name for name in ("sleepecg", "neurokit2") if find_spec(name))]
        file = write_results(
            options.output + part, figures, seed=0, started=started, packages=packages
        )
        print(f"Written to {file}.")


def _count(
    detector: str, folder: str, name: str, noise: str | None = None, ratio: float = 0.0
) -> tuple[dict[str, float], float, float]:
    """Compare one detector with one record; also return CPU time and duration in s."""
    record = read_annotated(folder, name)
    if noise is not None:
        record = add_noise(record, wfdb.rdrecord(noise).p_signal.T, ratio)
    started = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peaks = DETECTORS[detector](record.leads, record.fs)
    seconds = time.process_time() - started
    return compare(record, peaks), seconds, record.leads.shape[1] / record.fs


if __name__ == "__main__":
    main()
