"""Directive ``.. api-index::`` for the names of all API pages; summaries without citations."""

import re
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList
from sphinx.ext.autosummary import Autosummary


def summaries(page):
    """Yield the lines of the summaries in an API page, without their stubs."""
    for line in page.read_text(encoding="utf-8").splitlines():
        if line.startswith(".. currentmodule::"):
            yield from (line, "")
        elif line == ".. autosummary::":
            yield from ("", line, "   :nosignatures:", "")
        elif re.fullmatch(r"   \w+", line):
            yield line


class ApiIndex(Directive):
    """One table for each page in the content."""

    has_content = True

    def run(self):
        """Make the tables."""
        env = self.state.document.settings.env
        lines = []
        for name in self.content:
            page = Path(env.srcdir) / "api" / f"{name}.rst"
            env.note_dependency(str(page))
            lines += ["", f".. rubric:: :doc:`{name}`", "", *summaries(page)]
        container = nodes.container()
        self.state.nested_parse(StringList(lines, "api-index"), 0, container)
        return container.children


class PlainAutosummary(Autosummary):
    """Summaries without the citations of numpydoc, such as ``[R993b1546778a-2]_``."""

    def get_items(self, names):
        """Return names, signatures, summaries and full names."""
        items = super().get_items(names)
        return [
            (name, signature, re.sub(r" ?\[R\w+-\w+\]_", "", summary), full)
            for name, signature, summary, full in items
        ]


def setup(app):
    """Add the directives."""
    app.add_directive("api-index", ApiIndex)
    app.add_directive("autosummary", PlainAutosummary, override=True)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
