"""Directive ``.. model-cards::`` for the Markdown cards of the pretrained models."""

import os
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList

from ecgclf.persistence import list_pretrained

FOLDER = Path(__file__).resolve().parents[2] / "ecgclf" / "persistence" / "pretrained"


class ModelCards(Directive):
    """Sections with the model cards."""

    def run(self):
        """Include the files."""
        document = self.state.document
        here = Path(document.settings.env.doc2path(document.settings.env.docname)).parent
        lines = []
        for name in list_pretrained():
            file = os.path.relpath(FOLDER / f"{name}.md", here)
            lines += [f".. include:: {file}", "   :parser: myst_parser.sphinx_", ""]
        container = nodes.Element()
        self.state.nested_parse(StringList(lines, "model-cards"), 0, container, match_titles=True)
        return container.children


def setup(app):
    """Add the directive."""
    app.add_directive("model-cards", ModelCards)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
