"""Invalid, damaged and missing model files.

``ECGCLF_FUZZ=100`` runs a hundred times as many examples.
"""

from __future__ import annotations

import json
import os
import pickle
import resource
import sys
from functools import reduce

import joblib
import numpy as np
import pytest
import safetensors.numpy
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import ecgclf
from ecgclf import ECGMLPClassifier, ECGTransferClassifier, ECGTransformerClassifier
from ecgclf._model_file import pack, unpack
from ecgclf.augmentation import Compose, TimeShift
from ecgclf.estimators import BeatEstimator
from ecgclf.persistence import PersistenceError, read_document

fuzz = settings(
    max_examples=100 * int(os.environ.get("ECGCLF_FUZZ", "1")),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture(scope="module")
def content(tmp_path_factory) -> bytes:
    """File of a transfer, which contains another model, objects and labels."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 12)), np.repeat(["N", "V"], 20)
    quick = {"max_epochs": 1, "verbose": 0, "random_state": 0}
    source = ECGMLPClassifier(dense=(3,), **quick).fit(X, y)
    augment = Compose([TimeShift(max_shift=1)])
    model = ECGTransferClassifier(source=source, dense=(), augment=augment, **quick).fit(X, y)
    path = tmp_path_factory.mktemp("model") / "model.ecgclf"
    model.save(path, fs=120, unit="mV", window=(0.05, 0.05))
    return path.read_bytes()


@pytest.fixture
def load(path):
    """Load bytes as a file."""

    def load_bytes(data: bytes) -> BeatEstimator:
        path.write_bytes(data)
        return ecgclf.load(path)

    return load_bytes


# --- damaged -------------------------------------------------------------------------------


@fuzz
@given(data=st.data())
def test_no_byte_can_change(content, load, data):
    place = data.draw(st.integers(0, len(content) - 1))
    flips = data.draw(st.integers(1, 255))
    changed = bytearray(content)
    changed[place] ^= flips
    with pytest.raises(PersistenceError, match=r"model\.ecgclf'"):
        load(bytes(changed))


def test_no_byte_of_the_header_can_change(content):
    """Every byte is tested, because each has another meaning."""
    size = 8 + int.from_bytes(content[:8], "little")
    assert size > 3000
    for place in range(size):
        changed = bytearray(content)
        changed[place] ^= 1 << (place % 8)
        with pytest.raises(PersistenceError):
            unpack(bytes(changed))


@fuzz
@given(data=st.data())
def test_no_byte_can_be_missing_or_added(content, load, data):
    start = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(start, len(content)))
    put_in = data.draw(st.binary(max_size=20))
    changed = content[:start] + put_in + content[end:]
    if changed != content:
        with pytest.raises(PersistenceError):
            load(changed)


@given(st.binary(max_size=200))
@fuzz
def test_random_bytes(load, noise):
    with pytest.raises(PersistenceError, match="no model that ecgclf has saved"):
        load(noise)


# --- other files ---------------------------------------------------------------------------


def write_pickle(path):
    path.write_bytes(pickle.dumps({"a": 1}))


def write_state_dict(path):
    torch.save({"weight": torch.zeros(3)}, path)


def write_weights(path):
    safetensors.numpy.save_file({"weight": np.zeros(3)}, path)


def write_weights_with_notes(path):
    safetensors.numpy.save_file({"weight": np.zeros(3)}, path, {"ecgclf": "weights"})


@pytest.mark.parametrize(
    "write",
    [
        write_pickle,
        lambda path: joblib.dump([1], path),
        write_state_dict,
        write_weights,
        write_weights_with_notes,
        lambda path: path.write_text("model"),
        lambda path: path.touch(),
    ],
)
def test_files_of_other_formats(write, path):
    write(path)
    for read in (ecgclf.load, read_document):
        with pytest.raises(
            PersistenceError, match=r"model\.ecgclf' is no model that ecgclf has saved"
        ):
            read(path)


def test_a_newer_format(content, path):
    document, arrays = unpack(content)
    path.write_bytes(pack({**document, "format": 2}, arrays))
    with pytest.raises(PersistenceError, match=r"has format 2 .* up to 1: update ecgclf"):
        ecgclf.load(path)


def test_no_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match=rf"'model\.ecgclf' \({tmp_path}/model\.ecgclf\)"):
        ecgclf.load("model.ecgclf")
    with pytest.raises(OSError, match="directory"):
        ecgclf.load(tmp_path)


# --- manipulated files ---------------------------------------------------------------------


def sealed(document: dict, arrays: dict) -> bytes:
    """Make a file with a valid checksum."""
    return pack({k: v for k, v in document.items() if k not in ("format", "sha256")}, arrays)


def places(node, before=()):
    """List the places of all values of a document."""
    children = node.items() if isinstance(node, dict) else enumerate(node)
    for key, child in children:
        yield (*before, key)
        if isinstance(child, (dict, list)):
            yield from places(child, (*before, key))


def manipulated(content: bytes, place: tuple, value: object) -> bytes:
    document, arrays = unpack(content)
    *path, last = place
    reduce(lambda node, key: node[key], path, document)[last] = value
    return sealed(document, arrays)


@pytest.fixture
def audit_events():
    """Audit events that loading a file must not cause."""
    events: list[str] = []
    watching = [True]

    def look(event, arguments):
        if watching[0] and event.startswith(("os.", "subprocess", "exec", "compile", "pickle")):
            events.append(f"{event}: {arguments!r:.200}")

    sys.addaudithook(look)
    yield events
    watching[0] = False


small = st.none() | st.booleans() | st.integers(-3, 70) | st.floats() | st.text(max_size=5)
tags = st.sampled_from("tuple dict pairs array scalar path object model float".split())
names = st.sampled_from(
    ["os.system", "builtins.eval", "ECGCNNClassifier", "Compose", "__import__"]
)
anything = st.recursive(
    small | names,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(tags | names, inner, max_size=2),
    max_leaves=6,
)


@fuzz
@given(data=st.data())
@pytest.mark.filterwarnings("ignore")
def test_a_manipulated_document_is_an_error_or_a_model(content, load, audit_events, data):
    document, _ = unpack(content)
    load(content)  # triggers lazy imports
    place = data.draw(st.sampled_from(list(places(document))))
    changed = manipulated(content, place, data.draw(anything.filter(_is_json)))
    del audit_events[:]
    try:
        loaded = load(changed)
    except PersistenceError:
        pass
    else:
        assert type(loaded).__name__ in ecgclf.__all__
    assert audit_events == []


def _is_json(value: object) -> bool:
    try:
        json.dumps(value, allow_nan=False).encode()
    except ValueError:
        return False
    return True


@pytest.mark.parametrize(
    ("place", "value", "match"),
    [
        (["class"], "system", "'system' is none of"),
        (["class"], "EffectiveNumber", "'EffectiveNumber' is none of"),
        (["parameters", "augment"], {"object": ["system", {"command": "ls"}]}, "is none of"),
        (["parameters", "augment"], {"object": ["RandomAugmentation", {}]}, "is none of"),
        (["parameters", "augment"], "ls", "'augment' parameter"),
        (["parameters", "augment"], {"call": ["system", "ls"]}, "is no value"),
        (["parameters", "lr"], -1.0, "'lr' parameter"),
        (["parameters", "rate"], 1.0, "unexpected keyword argument 'rate'"),
        (["parameters", "source"], {"model": 7}, "7"),
        (["parameters", "dense"], {"tuple": [5]}, "other keys"),
        (["fitted", "attributes"], {"dict": {"predict": 1}}, "'predict'.* no fitted attributes"),
        (["fitted", "attributes"], {"dict": {"lr": 1}}, "'lr'.* no fitted attributes"),
        (["fitted", "attributes"], {"dict": {}}, "no attribute"),
        (["fitted", "net"], {"dict": {}}, "seed"),
        (["fitted", "requests"], {"dict": {"__class__": {"dict": {"a": True}}}}, "add_request"),
        (
            ["fitted", "attributes", "dict", "classes_"],
            {"array": ["V9", ["a"]]},
            "'V9' is no type of numbers or strings",
        ),
    ],
)
def test_error_messages_for_manipulated_files(content, load, place, value, match):
    with pytest.raises(PersistenceError, match=match):
        load(manipulated(content, tuple(place), value))


def test_other_arrays(content, load):
    document, arrays = unpack(content)
    name = next(name for name in arrays if name.startswith("head"))
    others = {key: array for key, array in arrays.items() if key != name}
    for wrong in (others, {**arrays, "more": arrays[name]}, {**others, name: arrays[name][:1]}):
        with pytest.raises(PersistenceError, match=r"describes no model.*(key|size)"):
            load(sealed(document, wrong))


@pytest.mark.parametrize(
    "value", [{"tuple": [10**9]}, {"tuple": [10**15]}, {"tuple": [1] * 50_000}]
)
def test_parameters_that_need_gigabytes(content, load, value):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(PersistenceError):
        load(manipulated(content, ("parameters", "dense"), value))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2**20  # in KiB


def test_long_labels_and_many_layers(content, load, beats, path):
    labels = {"array": ["<U9999999", ["N"] * 5]}
    with pytest.raises(PersistenceError, match="would need gigabytes"):
        load(manipulated(content, ("fitted", "attributes", "dict", "classes_"), labels))
    deep = ECGTransformerClassifier(width=4, n_heads=1, n_layers=1, max_epochs=1, verbose=0)
    deep.fit(beats.data, beats.target).save(path)
    with pytest.raises(PersistenceError, match="1,000,000,000 layers"):
        load(manipulated(path.read_bytes(), ("parameters", "n_layers"), 10**9))


def test_the_number_of_threads_of_a_file_is_not_obeyed(content, load):
    assert load(manipulated(content, ("parameters", "n_jobs"), 30_000)).n_jobs is None


def test_a_document_of_extreme_depth(load):
    deep = "[" * 100_000
    for text in (deep, f'{{"format": 1, "sha256": "", "class": {deep}'):
        with pytest.raises(PersistenceError):
            load(safetensors.numpy.save({}, {"ecgclf": text}))
    nested = reduce(lambda inner, _: [inner], range(400), 0)
    with pytest.raises(PersistenceError):
        load(pack({"class": nested, "parameters": nested, "fitted": {}}, {}))


# --- writing -------------------------------------------------------------------------------


def test_a_failed_save_leaves_the_old_file(fitted, path, files_of_at_most):
    path.write_bytes(b"old")
    with files_of_at_most(1000), pytest.raises(OSError, match=rf"\] .*: '{path}'$"):
        fitted.save(path)
    assert path.read_bytes() == b"old"
    assert os.listdir(path.parent) == [path.name]


def test_a_save_replaces_the_old_file(fitted, path):
    path.write_bytes(b"old")
    fitted.save(str(path))
    assert ecgclf.load(str(path)).get_params() == fitted.get_params()
    assert os.listdir(path.parent) == [path.name]
    # The permissions are those of a new file, not of a temporary file.
    other = path.with_name("other")
    other.touch()
    assert path.stat().st_mode == other.stat().st_mode


def test_a_folder_that_is_not_there(fitted, tmp_path):
    with pytest.raises(FileNotFoundError):
        fitted.save(tmp_path / "nowhere" / "model.ecgclf")
