"""Model cards in Markdown."""

from __future__ import annotations

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
    ]
    loader, arguments = facts["test"]["loader"], facts["test"]["arguments"]
    listed = "".join(f", {name}={value!r}" for name, value in arguments.items())
    listed = listed.replace("'", '"')
    code = [
        "```python",
        "import ecgclf",
        f"from ecgclf.datasets import fetch_mitbih, {loader}",
        "",
        f'model = ecgclf.load_pretrained("{facts["name"]}")',
        f"beats = {loader}(fetch_mitbih(){listed})",
        f"labels = model.predict({given['code']})",
        "```",
    ]
    return [_table([("property", "required value"), *rows]), "\n".join(code)]


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
        *_calibration(facts),
        *_more(facts),
    ]


def _calibration(facts: dict[str, Any]) -> list[str]:
    """Describe the temperature of the probabilities."""
    if facts.get("temperature") is None:
        return []
    return [
        "The probabilities are calibrated: the logits are divided by "
        f"{facts['temperature']:.2f}, which was fitted to the held-out patients of svdb. It "
        "changes no label."
    ]


def _more(facts: dict[str, Any]) -> list[str]:
    """Format the results of the benchmark between patients."""
    rows = facts["tables"]
    if not rows:
        return []
    lines = [tuple(rows[0]), *(tuple(row.values()) for row in rows)]
    return [
        "Results of `python -m benchmarks.accuracy.context` with the same seed: on DS2 by this "
        "model, and on svdb by five models, each trained on DS1 and the other patients of svdb.",
        _table(lines),
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
