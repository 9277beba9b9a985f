"""
Write the sweeps of Weights & Biases from the search spaces beside this file.

Run it after a change of ``cnn.yaml`` or ``rnn.yaml``::

    python examples/sweeps/make_sweeps.py
"""

from pathlib import Path

import yaml

from ecgclf.search import SearchSpace, to_sweep

HERE = Path(__file__).parent
NETWORKS = {"cnn": "ECGCNNClassifier", "rnn": "ECGRNNClassifier"}


def sweeps() -> dict[str, str]:
    """The text of each sweep file by its name."""
    texts = {}
    for short, network in NETWORKS.items():
        space = SearchSpace.from_file(HERE / f"{short}.yaml")
        for method in ("bayes", "grid"):
            sweep = to_sweep(
                space,
                method=method,
                program="train.py",
                arguments=[network],
                n_points=3 if method == "grid" else None,
            )
            comment = f"# Written by make_sweeps.py from {short}.yaml.\n"
            texts[f"{short}_{method}.yaml"] = comment + yaml.safe_dump(sweep, sort_keys=False)
    return texts


if __name__ == "__main__":
    for name, text in sweeps().items():
        (HERE / name).write_text(text, encoding="utf-8")
        print(f"wrote {HERE / name}")
