"""CPU time and memory of whole recordings: reading, detection, classification and annotation.

The recording is synthetic, with two leads at 250 Hz. NeuroKit2 and wfdb process its first lead
and do not classify; their recordings are shorter. Each measurement runs in its own process on one
thread.

    python -m benchmarks.speed.recordings
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import wfdb

from benchmarks.common.provenance import write_results
from ecgclf.datasets import make_record, read_recording

FS = 250

#: Length in hours of the recordings of each tool.
HOURS = {"ecgclf": (6, 24), "xqrs": (1,), "neurokit": (1,)}

WHAT = {
    "ecgclf": "annotate_recording and to_wfdb, two leads",
    "xqrs": "wfdb.processing.XQRS, one lead, R peaks alone",
    "neurokit": "NeuroKit2 ecg_process, one lead, R peaks and delineation",
}


def write_record(folder: Path, hours: int) -> Path:
    """Write half an hour of synthetic signal again and again."""
    half = read_recording(make_record(folder, "half", duration=1800, fs=FS, random_state=0))
    wfdb.wrsamp(
        "long",
        fs=FS,
        units=["mV", "mV"],
        sig_name=list(half.leads),
        d_signal=np.tile(half.stored(), 2 * hours).T.astype(np.int64),
        fmt=["16", "16"],
        adc_gain=[200, 200],
        baseline=[1024, 1024],
        write_dir=str(folder),
    )
    return folder / "long"


def prepare(tool: str) -> Callable[[Path], int]:
    """Import a tool, and return a function from a record to the number of beats."""
    if tool == "ecgclf":
        from ecgclf import annotate_recording, load_pretrained

        model = load_pretrained("holter")

        def annotate(path: Path) -> int:
            annotated = annotate_recording(path, model)
            annotated.to_wfdb(path.with_suffix(".beats"))
            return len(annotated.beats)

        return annotate

    def first_lead(path: Path) -> np.ndarray:
        return wfdb.rdrecord(str(path), channels=[0]).p_signal[:, 0]

    if tool == "xqrs":
        from wfdb.processing import xqrs_detect

        return lambda path: len(xqrs_detect(first_lead(path), FS, verbose=False))
    import neurokit2

    return lambda path: len(neurokit2.ecg_process(first_lead(path), FS)[1]["ECG_R_Peaks"])


def peak_mb() -> float:
    """Peak memory of this process, with the libraries that it has loaded."""
    # Not ru_maxrss, which a process inherits from its parent.
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1000


def measure(tool: str, path: Path) -> None:
    """Print the figures of this process."""
    act = prepare(tool)
    imports_mb, started = peak_mb(), time.process_time()
    beats = act(path)
    print(
        json.dumps(
            {
                "cpu_s": round(time.process_time() - started, 1),
                "peak_mb": round(peak_mb()),
                "imports_mb": round(imports_mb),
                "beats": beats,
            }
        )
    )


def main() -> None:
    """Measure all tools that are installed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--child", nargs=2, metavar=("TOOL", "RECORD"), help=argparse.SUPPRESS)
    parser.add_argument("--only", nargs="*", choices=HOURS, default=list(HOURS))
    parser.add_argument("--output", default="speed-recordings", help="name of the result file")
    options = parser.parse_args()
    if options.child:
        measure(options.child[0], Path(options.child[1]))
        return
    started, rows = time.time(), []
    for tool in options.only:
        if tool == "neurokit" and not find_spec("neurokit2"):
            continue
        for hours in HOURS[tool]:
            with tempfile.TemporaryDirectory() as folder:
                path = write_record(Path(folder), hours)
                words = [
                    sys.executable,
                    "-W",
                    "ignore",
                    "-m",
                    __spec__.name,
                    "--child",
                    tool,
                    path,
                ]
                done = subprocess.run(words, check=True, capture_output=True, text=True)
            rows.append({"what": WHAT[tool], "hours": hours, **json.loads(done.stdout)})
            print(rows[-1], flush=True)
    packages = ["wfdb", *(["neurokit2"] if find_spec("neurokit2") else [])]
    print(pd.DataFrame(rows).to_string(index=False))
    print(write_results(options.output, rows, seed=0, started=started, packages=packages))


if __name__ == "__main__":
    main()
