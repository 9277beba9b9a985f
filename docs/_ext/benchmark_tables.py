"""``.. benchmark:: name``: the table of a benchmark, from the JSON that it wrote."""

import json
from pathlib import Path

import pandas as pd
from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList
from speed_tables import SPEED

RESULTS = Path(__file__).resolve().parents[2] / "benchmarks" / "results"

#: How many of the worst records the table of R peaks names.
N_WORST = 8

#: How the figures of networks are written.
FORMATS = {
    "accuracy": "{:.4f}",
    "macro_f1": "{:.4f}",
    "published_accuracy": "{:.4f}",
    "published_macro_f1": "{:.3f}",
    "parameters": "{:,}",
    "seconds": "{:,.0f}",
}


def networks(figures):
    """All figures of each network, as they are."""
    yield tuple(column.replace("_", " ") for column in figures[0])
    for row in figures:
        yield tuple(
            "" if value is None else FORMATS.get(column, "{}").format(value)
            for column, value in row.items()
        )


def r_peaks(figures):
    """Sensitivity and positive predictivity of all records together and of the worst."""
    table = pd.DataFrame(figures).set_index("record").drop(columns="lead")
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


def random_forest(figures):
    """Accuracy and F1 on DS2 of each set of features: mean over the seeds."""
    table = pd.DataFrame(figures["ds2"])
    yield "features", "accuracy", "S F1", "V F1", "S F1 without 232", "range of S F1"
    for features, rows in table.groupby("features", sort=False):
        figures = [rows[name].mean() for name in ("accuracy", "S_f1", "V_f1", "S_f1_without_232")]
        span = f"{rows['S_f1'].min():.3f} to {rows['S_f1'].max():.3f}"
        yield features, *(f"{figure:.3f}" for figure in figures), span


#: What makes rows of the figures of a benchmark, a header first, where it is not `networks`.
ROWS_OF = {"r-peaks": r_peaks, "random-forest": random_forest}


class BenchmarkTable(Directive):
    """Insert the figures of a benchmark, or of several of networks, and how they came about."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self):
        """Make the table."""
        names = self.arguments[0].split()
        documents = []
        for name in names:
            file = RESULTS / f"{name}.json"
            self.state.document.settings.env.note_dependency(str(file))
            documents.append(json.loads(file.read_text(encoding="utf-8")))
        figures = documents[0]["figures"]
        if len(documents) > 1:
            figures = [row for document in documents for row in document["figures"]]
        rows = ROWS_OF.get(names[0], networks)(figures)
        container = nodes.container()
        lines = [*lines_of(rows), "", *origin(documents)]
        self.state.nested_parse(StringList(lines), 0, container)
        return container.children


def lines_of(rows):
    """Write rows, the first of which is a header, as a list table."""
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for first, *others in rows:
        lines += [f"   * - {first}", *(f"     - {cell}" for cell in others)]
    return lines


def origin(documents):
    """Say by which commands, when and where the figures were measured."""
    machine, versions = documents[-1]["machine"], documents[-1]["versions"]
    place = f"{machine['cores']} cores, {machine['processor']}, {machine['cuda'] or 'no GPU'}"
    packages = ", ".join(f"{package} {version}" for package, version in versions.items())
    days = sorted({document["date"][:10] for document in documents})
    seeds = ", ".join(sorted({str(document["seed"]) for document in documents}))
    return [
        ".. code-block:: console",
        "",
        *(f"   $ {document['command']}" for document in documents),
        "",
        f"{' to '.join(dict.fromkeys([days[0], days[-1]]))}; seed {seeds}; {place}; {packages}.",
    ]


def setup(app):
    """Add the directive."""
    ROWS_OF.update(SPEED)
    app.add_directive("benchmark", BenchmarkTable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
