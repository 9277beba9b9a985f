"""Write the tables of the benchmarks from their results."""

import json
from pathlib import Path

import pandas as pd

RESULTS = Path(__file__).resolve().parents[2] / "benchmarks" / "results"

#: How many of the worst records the table of R peaks names.
N_WORST = 8


def r_peaks(document):
    """Sensitivity and positive predictivity of all records together and of the worst."""
    table = pd.DataFrame(document["figures"]).set_index("record").drop(columns="lead")
    table["errors"] = table["missed"] + table["wrong"]
    worst = table.nlargest(N_WORST, "errors")
    gross = table.sum().rename(f"all {len(table)}")
    gross["distance_ms"] = (table["found"] * table["distance_ms"]).sum() / gross["found"]
    rows = pd.concat([gross.to_frame().T, worst])
    yield "record", "beats", "missed", "wrong", "sensitivity", "pos. pred.", "distance in ms"
    for record, row in rows.iterrows():
        yield (
            record,
            f"{row['beats']:,.0f}",
            f"{row['missed']:,.0f}",
            f"{row['wrong']:,.0f}",
            f"{row['found'] / row['beats']:.4f}",
            f"{row['found'] / (row['found'] + row['wrong']):.4f}",
            f"{row['distance_ms']:.1f}",
        )


def random_forest(document):
    """Accuracy and F1 on DS2 of each set of features: mean over the seeds."""
    table = pd.DataFrame(document["figures"]["ds2"])
    yield "features", "accuracy", "S F1", "V F1", "S F1 without 232", "range of S F1"
    for features, rows in table.groupby("features", sort=False):
        figures = [rows[name].mean() for name in ("accuracy", "S_f1", "V_f1", "S_f1_without_232")]
        span = f"{rows['S_f1'].min():.3f} to {rows['S_f1'].max():.3f}"
        yield features, *(f"{figure:.3f}" for figure in figures), span


TABLES = {"r-peaks": r_peaks, "random-forest": random_forest}


def lines_of(rows):
    """Write rows, the first of which is a header, as a list table."""
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for first, *others in rows:
        lines += [f"   * - {first}", *(f"     - {cell}" for cell in others)]
    return lines


def write_tables(app):
    """Write ``api/generated/<name>.inc``, which pages include."""
    folder = Path(app.srcdir) / "api" / "generated"
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows_of in TABLES.items():
        document = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
        lines = [*lines_of(rows_of(document)), "", f"Measured by ``{document['command']}``."]
        (folder / f"{name}.inc").write_text("\n".join(lines) + "\n", encoding="utf-8")


def setup(app):
    """Run before any page is read."""
    app.connect("builder-inited", write_tables)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
