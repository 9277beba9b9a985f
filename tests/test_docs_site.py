"""Pages of the documentation: table of contents, and the site if it has been built."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[1] / "docs"
SITE = DOCS / "_build" / "html"

#: Pages that Sphinx writes itself, over pages of the same name.
RESERVED = {"search", "genindex", "modindex", "py-modindex"}

MADE = {"_build", "gallery", "generated"}
PAGES = {
    path.relative_to(DOCS).with_suffix("").as_posix(): path
    for path in sorted(DOCS.rglob("*.rst"))
    if not MADE & set(path.parts) and "_templates" not in path.parts
}


def entries(page: str) -> list[str]:
    """Names of the pages in the tables of contents of a page."""
    found = []
    blocks = re.findall(
        r"\.\. toctree::\n((?:[ ]+:.*\n)*\n(?:[ ]+.*\n)+)", PAGES[page].read_text("utf-8") + "\n"
    )
    for line in "\n".join(blocks).splitlines():
        if line.strip() and not line.strip().startswith(":"):
            name = re.sub(r".*<(.*)>", r"\1", line.strip())
            found.append((Path(page).parent / name).as_posix())
    return found


def contents() -> list[str]:
    """Names of all pages that can be reached from the first one."""
    reached, waiting = [], ["index"]
    while waiting:
        page = waiting.pop()
        reached.append(page)
        waiting += [name for name in entries(page) if name in PAGES] if page in PAGES else []
    return reached


def title(page: str) -> str:
    return re.search(r"(?m)^(\S.*)\n={3,}$", PAGES[page].read_text("utf-8"))[1]


def test_every_page_is_in_the_contents_once():
    assert sorted(contents()) == sorted(PAGES)


def test_every_entry_exists():
    listed = {name for page in PAGES for name in entries(page)}
    assert listed - set(PAGES) == {"gallery/index"}  # made by the build


def test_no_page_has_the_name_of_one_of_sphinx():
    assert not RESERVED & set(PAGES)


def test_examples_say_what_they_need():
    for path in (DOCS.parent / "examples").glob("plot_*.py"):
        assert "Needs " in path.read_text("utf-8").split('"""')[1], path.name


@pytest.mark.parametrize("page", sorted(PAGES))
def test_the_site_has_the_page_with_its_title(page):
    built = SITE / f"{page}.html"
    if not (SITE / "index.html").exists():
        pytest.skip("the site has not been built")
    heading = re.search(r"<h1>(.*?)<a ", built.read_text("utf-8"), flags=re.DOTALL)[1]
    plain = unescape(re.sub(r"<[^>]+>", "", heading)).strip()
    assert plain == title(page).replace("`", "")
