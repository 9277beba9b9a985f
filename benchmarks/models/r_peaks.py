"""Fit of the R peak detector's two logistic regressions.

The training records are those of DS1 and the first 20 of the MIT-BIH Supraventricular Arrhythmia
Database (svdb), with both leads as separate examples. The candidate of largest height within
150 ms of an annotated beat is a beat, all others are not. V beats have six times the weight.

    python -m benchmarks.models.r_peaks
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import wfdb
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from benchmarks.common.arguments import make_parser
from benchmarks.common.data import find_records
from ecgclf.datasets import AAMI_OF_SYMBOL, DS1, _qrs, _r_peaks

#: Number of svdb records, in the order of their names, that parameters are chosen on.
N_SVDB = 20

#: Weight of a V beat; of all other candidates it is 1.
V_WEIGHT = 6.0

#: Match window of ANSI/AAMI EC57 in s.
TOLERANCE = 0.15


@dataclass
class AnnotatedRecord:
    """Leads and annotated beats of a record.

    Attributes
    ----------
    name : str
        Name of the record.
    fs : float
        Sampling rate in Hz.
    leads : ndarray of shape (n_leads, n_samples)
        Signal in mV, MLII first if there is one.
    beats : ndarray of int, shape (n_beats,)
        Positions of the beats in samples.
    classes : ndarray of str, shape (n_beats,)
        Their AAMI classes.
    """

    name: str
    fs: float
    leads: NDArray[np.float64]
    beats: NDArray[np.int64]
    classes: NDArray[np.str_]


def read_annotated(folder: Path | str, name: str) -> AnnotatedRecord:
    """Read a record of mitdb or svdb."""
    record = wfdb.rdrecord(f"{folder}/{name}")
    annotation = wfdb.rdann(f"{folder}/{name}", "atr")
    # svdb contains one "B", a bundle branch block beat.
    class_of = {**AAMI_OF_SYMBOL, "B": "N"}
    classes = np.array([class_of.get(symbol, "") for symbol in annotation.symbol])
    order = sorted(range(record.n_sig), key=lambda lead: record.sig_name[lead] != "MLII")
    return AnnotatedRecord(
        name,
        float(record.fs),
        record.p_signal.T[order],
        annotation.sample[classes != ""],
        classes[classes != ""],
    )


def svdb_names(folder: Path) -> list[str]:
    """List the svdb records in the order of their names."""
    return sorted(file.stem for file in folder.glob("*.hea"))


def main() -> None:
    """Fit the regressions and write their coefficients into the package."""
    options = make_parser(__doc__).parse_args()
    mitdb = find_records(options.data)
    svdb = mitdb.parent / "svdb"
    records = [read_annotated(mitdb, name) for name in DS1]
    records += [read_annotated(svdb, name) for name in svdb_names(svdb)[:N_SVDB]]
    leads = [_describe(record, lead) for record in records for lead in record.leads]

    is_beat, weight = (
        np.concatenate([lead[key] for lead in leads]) for key in ("beat", "weight")
    )
    coefficients = {}
    alone = np.concatenate([lead["features"] for lead in leads])
    coefficients["alone"] = _fit(alone, is_beat, weight)
    in_context = []
    for lead in leads:
        score = _qrs.log_odds(coefficients["alone"], lead["features"])
        beats = _qrs.choose_likely(lead["at"], score, lead["levels"][0])
        context = _qrs.describe_context(lead["at"], score, lead["levels"], beats)
        in_context.append(np.concatenate([lead["features"], context], axis=1))
    coefficients["in_context"] = _fit(np.concatenate(in_context), is_beat, weight)
    file = Path(_qrs.__file__).with_name("r_peaks.json")
    text = ",\n".join(f'"{stage}": {json.dumps(of)}' for stage, of in coefficients.items())
    file.write_text(f"{{\n{text}\n}}\n", encoding="utf-8")
    print(f"{len(is_beat):,} candidates, {is_beat.sum():,} beats. Written to {file}.")


def _describe(record: AnnotatedRecord, lead: NDArray[np.float64]) -> dict[str, NDArray]:
    """Find the candidates of a lead, their features, labels and weights."""
    slow, bad = _r_peaks.prepare(lead, record.fs, _r_peaks.converter_limits(lead))
    at, levels, features = _qrs.find_candidates(slow, bad)
    is_beat = np.zeros(len(at), dtype=bool)
    weight = np.ones(len(at))
    beats = record.beats * (_qrs.RATE / record.fs)
    reach = TOLERANCE * _qrs.RATE
    first, end = np.searchsorted(at, beats - reach), np.searchsorted(at, beats + reach, "right")
    for low, high, name in zip(first, end, record.classes):
        if high > low:
            best = low + np.argmax(levels[0, low:high])
            is_beat[best] = True
            weight[best] = V_WEIGHT if name == "V" else 1.0
    return {"at": at, "levels": levels, "features": features, "beat": is_beat, "weight": weight}


def _fit(
    features: NDArray[np.float64], is_beat: NDArray[np.bool_], weight: NDArray[np.float64]
) -> dict[str, list[float] | float]:
    centre, scale = features.mean(axis=0).round(4), features.std(axis=0).round(4)
    standard = _qrs.standardize(features, centre, scale)
    model = LogisticRegression(max_iter=1000).fit(standard, is_beat, sample_weight=weight)
    return {
        "centre": centre.tolist(),
        "scale": scale.tolist(),
        "weight": model.coef_[0].round(4).tolist(),
        "intercept": round(float(model.intercept_[0]), 4),
    }


if __name__ == "__main__":
    main()
