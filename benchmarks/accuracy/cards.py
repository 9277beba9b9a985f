"""Model cards in Markdown."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def card_of(facts: dict[str, Any]) -> str:
    """Format the card of a model from the facts that `pretrained.py` measures."""
    parts = [
        f"# {facts['name']}",
        f"{facts['title']}; {facts['parameters']:,} parameters.",
        "**Not a medical device.** For research and teaching only.",
        "## Input",
        *_inputs(facts),
        "## Data",
        facts["split"],
        _table([("", *facts["train"]["beats"]), *_beats(facts)]),
        "## Performance",
        *_figures(facts),
        "## Intended use",
        facts["use"],
        "## Limitations",
        "\n".join(f"- {limit}" for limit in facts["limits"]),
        "## Training",
        *_origin(facts),
    ]
    return "\n\n".join(parts) + "\n"


def _inputs(facts: dict[str, Any]) -> list[str]:
    given = facts["input"]
    rows = [
        ("sampling rate", f"{given['fs']:g} Hz"),
        ("shape of a beat", f"{given['n_leads']} lead of {given['n_samples']} samples"),
        ("lead", given["lead"]),
        ("window", given["window"]),
        ("unit", given["unit"]),
        ("scaling", given["scaling"]),
        ("features besides the signal", ", ".join(given["features"]) or "none"),
    ]
    loader, arguments = facts["test"]["loader"], dict(facts["test"]["arguments"])
    inputs, before = "beats.data", []
    if given["prepared_by"]:
        arguments["as_frame"], inputs = True, f"{given['prepared_by']}(beats)"
        before = ["", *_source_of(given["prepared_by"]), ""]
    listed = "".join(f", {name}={value!r}" for name, value in arguments.items())
    listed = listed.replace("'", '"')
    code = [
        "```python",
        "import ecgclf",
        f"from ecgclf.datasets import fetch_mitbih, {loader}",
        *before,
        "",
        f'model = ecgclf.load_pretrained("{facts["name"]}")',
        f"beats = {loader}(fetch_mitbih(){listed})",
        f"labels = model.predict({inputs})",
        "```",
    ]
    return [_table([("property", "required value"), *rows]), "\n".join(code)]


def _source_of(function: str) -> list[str]:
    """Return the source code of the function that prepares beats for training."""
    file = Path(__file__).parents[1] / "models" / "record_comparison.py"
    code = file.read_text(encoding="utf-8")
    if f"def {function}(" not in code:
        raise ValueError(f"{function} is not defined in {file.name}, which the card shows.")
    return code.partition('"""\n\n')[2].rstrip().split("\n")


def _beats(facts: dict[str, Any]) -> list[tuple[str, ...]]:
    return [
        (f"{side} beats", *(f"{n:,}" for n in facts[side]["beats"].values()))
        for side in ("train", "test")
    ]


def _figures(facts: dict[str, Any]) -> list[str]:
    n_beats = sum(facts["test"]["beats"].values())
    left_out = facts["test"]["without"]
    heads = ["figure", "value", "95% interval"]
    heads += [f"without record {', '.join(left_out)}"] if left_out else []
    rows = [
        (
            row["figure"],
            _number(row["estimate"]),
            "-" if row["low"] is None else f"{row['low']:.4f} to {row['high']:.4f}",
            *([_number(row["without"])] if left_out else []),
        )
        for row in facts["figures"]
    ]
    return [
        f"Results on {n_beats:,} test beats of {facts['test']['patients']} patients. The "
        "confidence intervals are from a bootstrap over patients.",
        _table([tuple(heads), *rows]),
    ]


def _origin(facts: dict[str, Any]) -> list[str]:
    machine = facts["machine"]
    versions = ", ".join(f"{package} {version}" for package, version in facts["versions"].items())
    place = f"{machine['cores']} cores, {machine['processor']}, {machine['cuda'] or 'no GPU'}"
    return [
        f"```console\n$ {facts['command']}\n```",
        f"```python\n{facts['estimator']}\n```",
        f"{facts['date'][:10]}, commit {facts['commit']}, seed {facts['seed']}; {place}; "
        f"{versions}. SHA-256 of the weights: {facts['sha256']}.",
    ]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _table(rows: list[tuple[str, ...]]) -> str:
    """Format rows as a table. The first row is the header."""
    first, *others = (f"| {' | '.join(row)} |" for row in rows)
    return "\n".join([first, f"|{' --- |' * len(rows[0])}", *others])
