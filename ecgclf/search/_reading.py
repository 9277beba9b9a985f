"""Read YAML, knowing the line of each entry."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ecgclf._extras import import_extra


@dataclass(frozen=True)
class Entry:
    """One parameter as the file has it."""

    name: str
    value: Any
    place: str


def read_entries(path: Path) -> list[Entry]:
    """Read the entries of a file that holds one mapping.

    Parameters
    ----------
    path : Path

    Returns
    -------
    list of Entry

    Raises
    ------
    ValueError
        If it is no YAML, holds anything but a mapping by names, or names something twice.
    """
    yaml = import_extra("yaml", "SearchSpace.from_file")

    safe: Any = yaml.SafeLoader

    class Loader(safe):
        """YAML 1.2 as to floats: PyYAML takes 1e-4 to be a string."""

    Loader.add_implicit_resolver(
        "tag:yaml.org,2002:float",
        re.compile(r"^[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$"),
        list("-+.0123456789"),
    )

    def check_names(mapping: Any) -> None:
        """Refuse what would silently replace an earlier entry."""
        seen = set()
        for key, value in mapping.value:
            line = f"{path.name}, line {key.start_mark.line + 1}"
            if not isinstance(key, yaml.ScalarNode) or key.tag != "tag:yaml.org,2002:str":
                raise ValueError(f"{line}: {key.value!r} is no name; write it in quotes.")
            if key.value in seen:
                raise ValueError(f"{line}, {key.value!r}: given twice.")
            seen.add(key.value)
            if isinstance(value, yaml.MappingNode):
                check_names(value)

    loader = Loader(path.read_text(encoding="utf-8"))
    try:
        root = loader.get_single_node()
        if not isinstance(root, yaml.MappingNode) or not root.value:
            raise ValueError(
                f"{path.name}: holds no parameters; expected lines such as 'lr: {{low: 1e-4, "
                "high: 1e-2, log: true}' or 'batch_size: [32, 64]'."
            )
        check_names(root)
        return [
            Entry(
                key.value,
                loader.construct_object(value, deep=True),
                f"{path.name}, line {key.start_mark.line + 1}, parameter {key.value!r}",
            )
            for key, value in root.value
        ]
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        raise ValueError(f"{path.name}, line {line}: no YAML: {error.problem}.") from error
    finally:
        loader.dispose()
