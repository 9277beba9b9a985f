"""Table of the rhythm features, generated from the code."""

import re
from pathlib import Path

from ecgclf.datasets import RHYTHM_FEATURES


def write_table(app):
    """Write ``api/generated/rhythm_features.inc``, which data.rst includes."""
    lines = [".. list-table::", "   :header-rows: 1", ""]
    rows = [("feature", "causal", "meaning")] + [
        (
            f"``{feature.name}``",
            "yes" if feature.causal else "no",
            re.sub(r"`+([^`]+)`+", r"``\1``", feature.description),
        )
        for feature in RHYTHM_FEATURES
    ]
    for row in rows:
        first, *others = row
        lines += [f"   * - {first}", *(f"     - {cell}" for cell in others)]
    file = Path(app.srcdir) / "api" / "generated" / "rhythm_features.inc"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def setup(app):
    """Run before any page is read."""
    app.connect("builder-inited", write_table)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
