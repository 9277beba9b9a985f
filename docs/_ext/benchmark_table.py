"""``.. benchmark:: name``: the table of a benchmark, from the JSON that it wrote."""

import json
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results"

#: How the figures of a column are written.
_FORMATS = {
    "accuracy": "{:.4f}",
    "macro_f1": "{:.4f}",
    "parameters": "{:,}",
    "epochs": "{}",
    "seconds": "{:,.0f}",
}


class BenchmarkTable(Directive):
    """Insert the figures of benchmarks and how they came about."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self):
        """Make the table of one file, or of several that have the same columns."""
        files = [RESULTS / f"{name}.json" for name in self.arguments[0].split()]
        environment = self.state.document.settings.env
        documents = []
        for file in files:
            environment.note_dependency(str(file))
            documents.append(json.loads(file.read_text(encoding="utf-8")))
        rows = [row for document in documents for row in document["figures"]]
        container = nodes.container()
        self.state.nested_parse(StringList(table(rows)), 0, container)
        self.state.nested_parse(StringList(origin(documents)), 0, container)
        return container.children


def table(rows):
    """Write rows as a list table."""
    columns = list(rows[0])
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for cells in (columns, *([written(row, column) for column in columns] for row in rows)):
        first, *others = (cell.replace("_", " ") for cell in cells)
        lines += [f"   * - {first}", *(f"     - {cell}" for cell in others)]
    return [*lines, ""]


def written(row, column):
    """Write one figure."""
    value = row[column]
    return "-" if value is None else _FORMATS.get(column, "{}").format(value)


def origin(documents):
    """Say by which commands, when and where the figures were measured."""
    lines = [".. code-block:: console", ""]
    lines += [f"   $ {document['command']}" for document in documents]
    machine, versions = documents[-1]["machine"], documents[-1]["versions"]
    place = f"{machine['cores']} cores, {machine['processor']}, {machine['cuda'] or 'no GPU'}"
    packages = ", ".join(f"{package} {version}" for package, version in versions.items())
    days = sorted({document["date"][:10] for document in documents})
    seeds = ", ".join(sorted({str(document["seed"]) for document in documents}))
    lines += [
        "",
        f"{' to '.join(days[:: max(len(days) - 1, 1)])}; seed {seeds}; {place}; {packages}.",
    ]
    return [*lines, ""]


def setup(app):
    """Add the directive."""
    app.add_directive("benchmark", BenchmarkTable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
