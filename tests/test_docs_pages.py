"""Code blocks and API lists of the documentation."""

from __future__ import annotations

import importlib
import re
import runpy
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest

from ecgclf import datasets
from ecgclf.training import BeatNet

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGES = [
    "index",
    "start",
    "choosing",
    "context",
    "twelve_leads",
    "data",
    "imbalance",
    "kaggle",
    "evaluation",
    "calibration",
    "signals",
    "features",
    "rhythm",
    "augmentation",
    "transfer",
    "tuning",
    "model_search",
    "tracking",
    "large_data",
    "reproducibility",
    "persistence",
    "pretrained",
    "annotate",
    "deployment",
    "command_line",
]


def code_of(page: str) -> str:
    """Return the Python blocks of a page as one script."""
    text = (DOCS / f"{page}.rst").read_text(encoding="utf-8")
    blocks = re.findall(r"\.\. code-block:: python\n\n((?:(?:   .*)?\n)+)", text)
    return "\n".join(dedent(block) for block in blocks)


@pytest.fixture(scope="module")
def loaded():
    """Beats by the call that loads them; pages repeat these calls."""
    return {}


@pytest.fixture
def local_records(monkeypatch, mitdb_dir, tmp_path, loaded):
    """Load local records instead of downloading them, and keep every 25th beat."""

    def thinned(load):
        def load_a_few(path, *args, **kwargs):
            call = repr((load.__name__, args, kwargs))
            if call not in loaded:
                beats = load(mitdb_dir, *args, **kwargs)
                loaded[call] = beats.select(np.arange(len(beats.target)) % 25 == 0)
            return loaded[call].select(slice(None))

        return load_a_few

    for name in ("load_mitbih", "load_kaggle_heartbeat"):
        monkeypatch.setattr(datasets, name, thinned(getattr(datasets, name)))
    monkeypatch.setattr(datasets, "fetch_mitbih", lambda: mitdb_dir)

    def fetch_synthetic(name, *, records):
        assert (name, records) == ("ptb-xl", ["records100"])
        return datasets.make_ptbxl(tmp_path / name, 120, random_state=0)

    monkeypatch.setattr(datasets, "fetch", fetch_synthetic)


@pytest.fixture
def short_training(monkeypatch):
    train = BeatNet.train

    def train_once(net, rows, epochs, **kwargs):
        return train(net, rows, 1, **kwargs)

    monkeypatch.setattr(BeatNet, "train", train_once)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.filterwarnings("ignore:the subject of test record", "ignore:The least populated")
def test_the_code_of_a_page_runs(page, local_records, short_training, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    code = code_of(page)
    assert "import" in code
    exec(compile(code, f"{page}.rst", "exec"), {})


def test_the_script_on_many_machines_runs(short_training, monkeypatch, capsys):
    distributed = pytest.importorskip("distributed", reason="needs Dask, which is not installed")

    # Workers in processes, as in tests/search, would first have to import torch.
    class ClientOfThreads(distributed.Client):
        def __init__(self, **options):
            super().__init__(processes=False, dashboard_address=":0", **options)

    monkeypatch.setattr(distributed, "Client", ClientOfThreads)
    code = code_of("scaling")
    assert '\nif __name__ == "__main__":' in code
    exec(compile(code, "scaling.rst", "exec"), {"__name__": "__main__"})
    printed = capsys.readouterr().out
    assert re.search(r"\[0\.\d+ +0\.\d+\] \{'kernel_size': [37], 'lr': 0\.01?", printed)


def test_the_example_of_a_new_network_trains():
    network = runpy.run_path(str(DOCS / "new_network.py"))["FlatClassifier"]
    beats = datasets.make_beats(n_beats=400, n_leads=2, random_state=0)
    model = network(units=32, max_epochs=10, batch_size=32, verbose=0, random_state=0)
    model.fit(beats.data, beats.target)
    # Always predicting N is correct for 60% of these beats.
    assert model.score(beats.data, beats.target) > 0.8
    with pytest.raises(ValueError, match="units"):
        network(units=0).fit(beats.data, beats.target)


def listed_names(page: Path) -> dict[str, set[str]]:
    """Return the names in the lists of an API page, by module."""
    names: dict[str, set[str]] = {}
    module = ""
    for line in page.read_text(encoding="utf-8").splitlines():
        if match := re.fullmatch(r"\.\. currentmodule:: (\S+)", line):
            module = match[1]
        elif match := re.fullmatch(r"   (\w+)|\.\. py:data:: (\w+)", line):
            names.setdefault(module, set()).add(match[1] or match[2])
    return names


@pytest.mark.parametrize("page", sorted(DOCS.glob("api/[!i]*.rst")), ids=lambda page: page.stem)
def test_an_api_page_lists_the_public_names(page):
    listed = listed_names(page)
    module = importlib.import_module(f"ecgclf.{page.stem}")
    assert set(module.__all__) <= set().union(*listed.values())
    for name, members in listed.items():
        assert {
            member for member in members if not hasattr(importlib.import_module(name), member)
        } == set()
