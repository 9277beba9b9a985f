"""The package as a whole: light imports, layers and sizes."""

from __future__ import annotations

import ast
import contextlib
import importlib
import io
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import ecgclf

REPOSITORY = Path(__file__).resolve().parents[1]
PACKAGE = REPOSITORY / "ecgclf"
SUBPACKAGES = sorted(p.parent.name for p in PACKAGE.glob("*/__init__.py"))


# --- imports are light -----------------------------------------------------------------------


HEAVY = {
    "torch",
    "sklearn",
    "skorch",
    "matplotlib",
    "pandas",
    "scipy",
    "numpy",
    "wfdb",
    "imblearn",
    "safetensors",
    "onnx",
}

#: Statements, and packages that they do not load. Those of a list run in one process, in this
#: order: what is not loaded after all of them is not loaded after one of them alone.
STATEMENTS = [
    {
        "import ecgclf; ecgclf.__version__; dir(ecgclf)": HEAVY,
        "import ecgclf.cli": HEAVY,
        "import ecgclf.persistence": {"torch", "sklearn", "skorch", "pandas", "matplotlib"},
        "import ecgclf.datasets": {"torch", "skorch", "matplotlib", "wfdb"},
        "import ecgclf.transforms": {"torch", "skorch", "matplotlib", "wfdb"},
        "import ecgclf.recordings": {"torch", "skorch", "matplotlib", "wfdb", "jinja2"},
        "import ecgclf.evaluation": {"torch", "skorch", "matplotlib", "captum"},
        "import ecgclf.sampling": {"torch", "skorch", "matplotlib"},
        "import ecgclf.plots": {"torch", "skorch", "matplotlib"},
        "import ecgclf.search": {
            *("torch", "skorch", "matplotlib", "optuna", "wandb", "yaml", "dask")
        },
    },
    {
        "import ecgclf.modules": {"sklearn", "skorch", "pandas", "matplotlib"},
        "import ecgclf.augmentation": {"skorch", "matplotlib", "wfdb"},
        "from ecgclf import ECGCNNClassifier": {"matplotlib", "wfdb"},
        "import ecgclf.export": {"matplotlib", "onnx", "onnxruntime", "onnxscript"},
        "import ecgclf.tracking": {"matplotlib", "mlflow", "wandb", "tensorboard"},
    },
]


@pytest.fixture(scope="module")
def loaded_after() -> dict[str, set[str]]:
    """Names of the packages that are loaded once a statement has run."""
    loaded = {}
    for statements in STATEMENTS:
        show = "print(*sorted({m.split('.')[0] for m in sys.modules}))"
        program = "\n".join(["import sys", *(f"{line}\n{show}" for line in statements)])
        done = subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
        lines = done.stdout.splitlines()
        loaded |= {
            line: set(names.split()) for line, names in zip(statements, lines, strict=True)
        }
    return loaded


@pytest.mark.parametrize(
    ("statement", "never"), [item for group in STATEMENTS for item in group.items()]
)
def test_imports_load_only_what_they_need(loaded_after, statement, never):
    assert "ecgclf" in loaded_after[statement]
    assert not loaded_after[statement] & never


def test_the_classifier_loads_torch(loaded_after):
    loaded = loaded_after["from ecgclf import ECGCNNClassifier"]
    assert {"torch", "sklearn", "skorch"} <= loaded


def test_the_imports_of_every_subpackage_are_tested(loaded_after):
    assert {f"import ecgclf.{name}" for name in SUBPACKAGES} - set(loaded_after) == {
        *("import ecgclf.estimators", "import ecgclf.training")
    }


def test_every_name_of_the_package_is_the_object_of_its_subpackage():
    for name in ecgclf.__all__:
        origin = {"E": "estimators", "a": "recordings"}.get(name[0], "persistence")
        if name in SUBPACKAGES:
            assert getattr(ecgclf, name) is importlib.import_module(f"ecgclf.{name}")
        elif name != "__version__":
            thing = getattr(importlib.import_module(f"ecgclf.{origin}"), name)
            assert getattr(ecgclf, name) is thing
    assert dir(ecgclf) == sorted(ecgclf.__all__)
    with pytest.raises(AttributeError, match="module 'ecgclf' has no attribute 'ECGRNN'"):
        ecgclf.ECGRNN  # noqa: B018


# --- layers --------------------------------------------------------------------------------

#: Subpackages that each subpackage may import. Imports run downwards only.
MAY_IMPORT = {
    "datasets": set(),
    "modules": set(),
    "augmentation": set(),
    "transforms": {"datasets"},
    "sampling": {"augmentation"},
    "training": {"augmentation", "modules"},
    "estimators": {"augmentation", "modules", "training"},
    "persistence": {"estimators"},
    "tracking": {"persistence", "evaluation"},
    "evaluation": {"datasets", "estimators", "training"},
    "export": {"transforms", "modules", "estimators"},
    "search": {"training"},
    "plots": {"datasets", "evaluation"},
    "recordings": {"datasets", "persistence"},
    "cli": {"datasets", "evaluation", "export", "recordings"},
}

#: Modules that every subpackage may import.
SHARED = (
    "_docstrings",
    "_extras",
    "_files",
    "_model_file",
    "_parameters",
    "_sklearn",
    "_validation",
    "_version",
)

#: Third parties that only some subpackages may import.
ONLY_IN = {
    "bottleneck": {"transforms"},
    "skorch": {"training"},
    "torch": {"augmentation", "modules", "training", "estimators", "evaluation", "export"},
    "captum": {"evaluation"},
    "imblearn": {"sampling"},
    "jinja2": {"recordings"},
    "pywt": {"transforms"},
    "wfdb": {"datasets", "recordings"},
    "zarr": {"datasets"},
    "matplotlib": {"plots"},
    "mlflow": {"tracking"},
    "onnx": {"export"},
    "onnxruntime": {"export"},
    "safetensors": {"_model_file"},
    "dask": {"search"},
    "distributed": {"search"},
    "optuna": {"search"},
    "yaml": {"search"},
}


@cache
def imports_of(path: Path) -> list[str]:
    """Full names of the modules that a file imports anywhere, also for types alone."""
    found = []
    own = ("ecgclf", *path.relative_to(PACKAGE).parts[:-1])
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "import_extra":
            found.append(ast.literal_eval(node.args[0]))
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(own[: len(own) - node.level + 1]) if node.level else ""
            module = ".".join(filter(None, [base, node.module]))
            found += [f"{module}.{alias.name}" for alias in node.names]
    return found


def imports_of_subpackage(name: str) -> Iterator[tuple[Path, str]]:
    for path in sorted([*PACKAGE.glob(f"{name}.py"), *(PACKAGE / name).rglob("*.py")]):
        for imported in imports_of(path):
            yield path, imported


def test_every_subpackage_has_its_layer():
    assert set(SUBPACKAGES) == set(MAY_IMPORT)


@pytest.mark.parametrize("name", MAY_IMPORT)
def test_imports_run_downwards(name):
    found = list(imports_of_subpackage(name))
    assert len(found) > 5
    for path, imported in found:
        parts = imported.split(".")
        if parts[0] == "ecgclf" and len(parts) > 1:
            assert parts[1] in {name, *SHARED} | MAY_IMPORT[name], f"{path}: {imported}"


#: Files of the package by their module names.
FILES = {
    ".".join(("ecgclf", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(
        ".__init__"
    ): path
    for path in PACKAGE.rglob("*.py")
}


def file_of(imported: str) -> str:
    """Module name of the file that an import such as ``ecgclf.modules.Encoder`` refers to."""
    while imported not in FILES:
        imported = imported.rpartition(".")[0]
    return imported


def test_no_circles_between_files():
    imports = {
        name: {file_of(i) for i in imports_of(path) if i.split(".")[0] == "ecgclf"} - {name}
        for name, path in FILES.items()
    }
    assert sum(map(len, imports.values())) > 300
    TopologicalSorter(imports).prepare()  # raises CycleError, which names the files


def test_a_circle_would_be_found():
    with pytest.raises(CycleError):
        TopologicalSorter({"a": {"b"}, "b": {"c"}, "c": {"a"}}).prepare()


@pytest.mark.parametrize("name", MAY_IMPORT)
def test_no_private_name_of_another_subpackage_is_imported(name):
    for path, imported in imports_of_subpackage(name):
        package, *parts = imported.split(".")
        if package == "ecgclf" and not {name, *SHARED}.intersection(parts[:1]):
            assert not [part for part in parts if part.startswith("_")], f"{path}: {imported}"


@pytest.mark.parametrize("third_party", ONLY_IN)
def test_each_third_party_has_its_place(third_party):
    users = {
        name
        for name in [*SUBPACKAGES, "_model_file"]
        for _, imported in imports_of_subpackage(name)
        if imported.split(".")[0] == third_party
    }
    assert users
    assert users <= ONLY_IN[third_party]


#: What evaluation and plots may know of the data.
LABELS = {"AAMI_CLASSES", "DS1", "DS2", "MITBIH_PACED", "MITBIH_RECORDS", "mitbih_subject"}


def test_evaluation_and_plots_take_labels_alone_from_the_data():
    for name in ("evaluation", "plots"):
        for path, imported in imports_of_subpackage(name):
            if imported.startswith("ecgclf.datasets"):
                assert imported.removeprefix("ecgclf.datasets.") in LABELS, f"{path}: {imported}"


# --- sizes ---------------------------------------------------------------------------------


def python_files() -> list[Path]:
    folders = ("ecgclf", "tests", "examples", "benchmarks", "docs")
    return sorted(path for folder in folders for path in (REPOSITORY / folder).rglob("*.py"))


def test_no_file_is_longer_than_600_lines():
    lengths = {path: len(path.read_text().splitlines()) for path in python_files()}
    assert len(lengths) > 50
    assert {str(path): n for path, n in lengths.items() if n > 600} == {}


def test_no_file_is_named_after_utilities():
    assert not [
        path for path in python_files() if re.match(r"_?(utils?|helpers?)\.py", path.name)
    ]


# --- README ------------------------------------------------------------------------------------


def test_the_code_of_the_readme_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    text = (REPOSITORY / "README.md").read_text()
    blocks = re.findall(r"^```python\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    assert blocks, "README.md shows no Python"
    namespace: dict = {"__name__": "readme"}
    for i, block in enumerate(blocks):
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(block, f"README.md, block {i + 1}", "exec"), namespace)
