"""Sphinx configuration."""

import os
import sys
from pathlib import Path

import ecgclf

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE / "_ext"), str(HERE.parent)]  # for benchmarks.models

# The gallery uses real records if they are next to the repository.
records_beside = HERE.parents[1] / "shared" / "data"
if records_beside.is_dir():
    os.environ.setdefault("ECGCLF_DATA", str(records_beside))

project = "ecgclf"
author = "The ecgclf developers"
copyright = author
version = release = ecgclf.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "numpydoc",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "sphinxcontrib.bibtex",
    "api_index",
    "benchmark_tables",
    "model_cards",
    "myst_parser",
    "rhythm_table",
]
exclude_patterns = ["_build"]
templates_path = ["_templates"]
default_role = "py:obj"

autodoc_typehints = "none"  # types are in the docstrings
autodoc_preserve_defaults = True
autosummary_context = {
    # Members that are omitted from class pages: described in the docstring, or inherited from
    # scikit-learn.
    "hidden": [
        *("name", "causal", "relative", "relation", "description", "set_output"),
        *(f"set_{method}_request" for method in ("fit", "partial_fit", "score", "split")),
        "set_fit_resample_request",
    ],
    # Base classes whose members are omitted.
    "foreign": [
        *("BaseEstimator", "ClassifierMixin", "BaseCrossValidator", "_MetadataRequester"),
        *("NeuralNet", "NeuralNetClassifier", "Callback", "Dataset", "Module", "Sequential"),
        *("RandomOverSampler", "RandomUnderSampler", "SMOTE", "OneToOneFeatureMixin"),
        *("Bunch", "ValueError", "tuple", "TransformerMixin", "BaseSearchCV"),
    ],
}
numpydoc_show_class_members = False

copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

bibtex_bibfiles = ["references.bib"]
bibtex_default_style = "unsrt"
bibtex_reference_style = "author_year"

# The repository is not public yet, and publishers refuse automatic requests.
linkcheck_ignore = [r"https://github\.com/ecgclf/.*", r"https://doi\.org/.*"]

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"/plot_",
    "ignore_pattern": r"quickstart\.py",
    "within_subsection_order": "FileNameSortKey",
    "capture_repr": (),
    "abort_on_example_error": False,
    "min_reported_time": 3600,
    "write_computation_times": False,
    "show_signature": False,
    "download_all_examples": False,
}

# Links to the documentation of other projects need network access, so they are optional.
if os.environ.get("ECGCLF_DOCS_LINKS"):
    extensions.append("sphinx.ext.intersphinx")
    intersphinx_mapping = {
        "numpy": ("https://numpy.org/doc/stable", None),
        "pandas": ("https://pandas.pydata.org/docs", None),
        "python": ("https://docs.python.org/3", None),
        "sklearn": ("https://scikit-learn.org/stable", None),
    }

html_theme = "pydata_sphinx_theme"
html_title = "ecgclf"
html_show_sourcelink = False
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_logo = html_favicon = "_static/logo.svg"
html_theme_options = {
    "logo": {"text": "ecgclf", "alt_text": "ecgclf"},
    "github_url": "https://github.com/ecgclf/ecgclf",
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "secondary_sidebar_items": {
        "**": ["page-toc"],
        "index": [],
        **{f"gallery/{file.stem}": [] for file in HERE.parent.glob("examples/plot_*.py")},
    },
}
# The switcher of versions needs a site: the address of its root, such as https://example.org/docs.
if site := os.environ.get("ECGCLF_DOCS_SITE"):
    html_baseurl = f"{site}/{'dev' if 'dev' in version else version}/"
    html_theme_options |= {
        "navbar_end": ["version-switcher", "theme-switcher", "navbar-icon-links"],
        "switcher": {
            "json_url": f"{site}/switcher.json",
            "version_match": "dev" if "dev" in version else version,
        },
        "check_switcher": False,
    }

# Pages without subpages need no sidebar.
single = [
    "index",
    "start",
    "kaggle",
    "networks",
    "benchmarks",
    "faq",
    "references",
    "contributing",
]
html_sidebars = {page: [] for page in single}
