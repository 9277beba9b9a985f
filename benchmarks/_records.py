"""Where the benchmarks find their records."""

from __future__ import annotations

from pathlib import Path

from ecgclf.datasets import get_data_home

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


def find_records(given: Path | None) -> Path:
    """Return the folder of the MIT-BIH records."""
    places = [given] if given else [get_data_home() / "mitdb", SHARED / "mitdb"]
    for place in places:
        if (place / "100.dat").exists():
            return place
    raise SystemExit(
        f"No MIT-BIH records in {', '.join(map(str, places))}: name their folder with --data, or "
        "download them with ecgclf.datasets.fetch_mitbih()."
    )
