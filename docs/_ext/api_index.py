"""Directive ``.. api-index::`` for all names of the API pages with their first lines."""

import re
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList


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


def setup(app):
    """Add the directive."""
    app.add_directive("api-index", ApiIndex)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
