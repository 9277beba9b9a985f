"""Directives for the pretrained models: ``.. model-cards::`` and ``.. pretrained-results::``."""

import json
import os
from pathlib import Path

from benchmark_tables import lines_of
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


def facts_of(name):
    """Read the figures of a model."""
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def results():
    """Yield the header and the rows of the table of main results."""
    yield "test", "network", "accuracy", "F1"
    holter, small = facts_of("holter"), facts_of("mitbih-small")
    for records, title in (("without 232", "DS2 without record 232"), ("all", "all of DS2")):
        found = {
            row["figure"]: f"{row['value']} ({row['95% interval']})"
            for row in holter["tables"]
            if (row["test"], row["records"], row["leads"], row["R peaks"])
            == ("DS2", records, "first lead", "annotated")
        }
        yield (
            f"new patients: {title}",
            f"``holter``, {holter['parameters']:,} parameters",
            found["accuracy"],
            f"V {found['V F1']}, S {found['S F1']}",
        )
    value = {row["figure"]: f"{row['estimate']:.3f}" for row in small["figures"]}
    yield (
        "other beats of the same patients: Kaggle rows",
        f"``mitbih-small``, {small['parameters']:,} parameters",
        value["accuracy"],
        f"macro-F1 {value['macro F1']}",
    )


class PretrainedResults(Directive):
    """Table of the main results of the pretrained models."""

    def run(self):
        """Make the table."""
        for name in ("holter", "mitbih-small"):
            self.state.document.settings.env.note_dependency(str(FOLDER / f"{name}.json"))
        container = nodes.container()
        self.state.nested_parse(StringList(lines_of(results())), 0, container)
        return container.children


def setup(app):
    """Add the directives."""
    app.add_directive("model-cards", ModelCards)
    app.add_directive("pretrained-results", PretrainedResults)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
