"""
Write W&B sweep configurations from the search spaces in this folder.

Run it after a change of ``cnn.yaml`` or ``rnn.yaml``::

    python examples/sweeps/make_sweeps.py
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from ecgclf.search import FloatRange, IntRange, SearchSpace, to_grid

HERE = Path(__file__).parent
NETWORKS = {"cnn": "ECGCNNClassifier", "rnn": "ECGRNNClassifier"}


def make_sweep(
    space: SearchSpace, method: str, network: str, n_points: int | None = None
) -> dict[str, Any]:
    """Make the configuration of a sweep, for ``wandb sweep`` or `wandb.sweep`.

    The sweep maximizes ``score``, which ``train.py`` logs.

    Parameters
    ----------
    space : SearchSpace
        Parameters of the network.
    method : {"bayes", "random", "grid"}
        "grid" lists the values of each parameter. The other methods use distributions for
        ranges without a step.
    network : str
        Name of a class of ecgclf, the first argument of ``train.py``.
    n_points : int, optional
        Number of values of a `FloatRange` without a step in a grid.
    """
    parameters: dict[str, Any] = {}
    for name, parameter in space.parameters.items():
        if method != "grid" and isinstance(parameter, IntRange) and parameter.step == 1:
            kind = "int_uniform"
        elif method != "grid" and isinstance(parameter, FloatRange) and parameter.step is None:
            kind = "log_uniform_values" if parameter.log else "uniform"
        else:
            values = to_grid(SearchSpace({name: parameter}), n_points)[name]
            parameters[name] = {
                "values": [list(v) if isinstance(v, tuple) else v for v in values]
            }
            continue
        parameters[name] = {"distribution": kind, "min": parameter.low, "max": parameter.high}
    return {
        "program": "train.py",
        "method": method,
        "metric": {"name": "score", "goal": "maximize"},
        "command": ["${env}", "${interpreter}", "${program}", network, "${args}"],
        "parameters": parameters,
    }


def sweeps() -> dict[str, str]:
    """Return the text of each sweep file by its name."""
    texts = {}
    for short, network in NETWORKS.items():
        space = SearchSpace.from_file(HERE / f"{short}.yaml")
        for method in ("bayes", "grid"):
            sweep = make_sweep(space, method, network, n_points=3)
            comment = f"# Written by make_sweeps.py from {short}.yaml.\n"
            texts[f"{short}_{method}.yaml"] = comment + yaml.safe_dump(sweep, sort_keys=False)
    return texts


if __name__ == "__main__":
    for name, text in sweeps().items():
        (HERE / name).write_text(text, encoding="utf-8")
        print(f"wrote {HERE / name}")
