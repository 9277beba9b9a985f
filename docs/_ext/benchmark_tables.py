"""Directive ``.. benchmark:: name`` for tables of benchmark results."""

import json
import re
from itertools import chain, repeat
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd
from docutils import nodes
from docutils.parsers.rst import Directive, directives
from docutils.statemachine import StringList
from speed_tables import SPEED

from benchmarks.models.published import PUBLISHED_FIGURES

RESULTS = Path(__file__).resolve().parents[2] / "benchmarks" / "results"

#: Formats of the columns for networks.
FORMATS = {
    "accuracy": "{:.4f}",
    "macro_f1": "{:.4f}",
    "parameters": "{:,}",
    "seconds": "{:,.0f}",
}


def networks(figures):
    """Yield all results of each network, without empty columns."""
    columns = [name for name in figures[0] if any(row[name] is not None for row in figures)]
    yield tuple(name.replace("_", " ") for name in columns)
    for row in figures:
        yield tuple(
            "" if row[name] is None else FORMATS.get(name, "{}").format(row[name])
            for name in columns
        )


def kaggle(figures):
    """Yield results of each network and the published ones, ordered by network number."""
    yield (
        *("network", "seed", "accuracy", "published", "macro-F1", "published"),
        *("parameters", "epochs", "seconds"),
    )
    for row in sorted(figures, key=lambda row: int(re.match(r"\d*", row["network"])[0] or 99)):
        accuracy, macro_f1 = PUBLISHED_FIGURES.get(row["network"], (None, None))
        cells = {
            "network": row["network"],
            "seed": row.get("seed", 0),
            "accuracy": row["accuracy"],
            "published_accuracy": accuracy,
            "macro_f1": row["macro_f1"],
            "published_macro_f1": macro_f1,
            **{name: row[name] for name in ("parameters", "epochs", "seconds")},
        }
        yield tuple(
            "" if value is None else FORMATS.get(name, "{}").format(value)
            for name, value in cells.items()
        )


def r_peaks(figures):
    """Yield sensitivity and positive predictivity of each detector on clean records."""
    yield "records", "detector", "sensitivity", "pos. pred.", *(f"sens. {c}" for c in "NSVF")
    for row in figures["clean"]:
        rates = [row["sensitivity"], row["positive_predictivity"], *(row[c] for c in "NSVF")]
        yield row["records"], row["detector"], *(f"{rate:.4f}" for rate in rates)


def annotated(figures):
    """Yield the figures of recordings annotated from the signal, a column for each database."""
    summaries = [database["summary"] for database in figures.values()]
    yield "figure", *figures
    for label, name in (("QRS", "R peaks"), ("S", "S"), ("V", "V")):
        rates = [summary["gross"][label] for summary in summaries]
        yield (
            f"{name}: sensitivity / pos. pred.",
            *(f"{r['sensitivity']:.4f} / {r['positive_predictivity']:.4f}" for r in rates),
        )
    for label in "SV":
        errors = [summary[f"{label} burden"] for summary in summaries]
        shown = (
            f"{e['mean_absolute_error']:.2f} ({e['median_absolute_error']:.2f})" for e in errors
        )
        yield f"{label} burden: mean (median) absolute error in %", *shown
        shown = (f"{e['bias']:+.2f}, {span(e['limits_of_agreement'])}" for e in errors)
        yield f"{label} burden: bias, limits of agreement in %", *shown
    for kind in ("S runs", "V runs", "pauses"):
        for first, second in (("annotated", "found"), ("found", "annotated")):
            counts = [summary["episodes"] for summary in summaries]
            shown = (
                f"{c[f'{kind}, {first} and {second}']} of {c[f'{kind}, {first}']}" for c in counts
            )
            yield f"{kind}: {first} ones that are also {second}", *shown


def r_peaks_noise(figures):
    """Yield sensitivity / positive predictivity of each detector at each noise level."""
    table = pd.DataFrame(figures["noise"])
    table["rates"] = [
        f"{one:.3f} / {other:.3f}"
        for one, other in zip(table["sensitivity"], table["positive_predictivity"])
    ]
    ratios = table["ratio_db"].unique()
    yield "noise", "detector", *(f"{ratio} dB" for ratio in ratios)
    for (noise, detector), rows in table.groupby(["noise", "detector"], sort=False):
        yield noise, detector, *rows.set_index("ratio_db").loc[ratios, "rates"]


#: Accuracy, S F1 and V F1 of Saenz-Cogollo and Agelli 2020, for the features of the first row.
PUBLISHED_FOREST = "0.961, 0.731, 0.909"


def random_forest(figures):
    """Yield accuracy and F1 on DS2 of each feature set, averaged over seeds."""
    table = pd.DataFrame(figures["ds2"])
    published = chain([PUBLISHED_FOREST], repeat(""))
    yield (
        *("features", "accuracy", "S F1", "V F1", "S F1 without 232", "range of S F1"),
        "published: accuracy, S F1, V F1",
    )
    for features, rows in table.groupby("features", sort=False):
        figures = [rows[name].mean() for name in ("accuracy", "S_f1", "V_f1", "S_f1_without_232")]
        span = f"{rows['S_f1'].min():.3f} to {rows['S_f1'].max():.3f}"
        yield features, *(f"{figure:.3f}" for figure in figures), span, next(published)


def graphs(figures):
    """Yield size, speed and accuracy of each exported form of a network."""
    yield (
        *("form", "kB", "µs a beat, alone", "µs a beat, of 256", "µs a beat, of 100,000"),
        *("accuracy", "macro-F1", "labels changed", "largest difference"),
    )
    for row in figures:
        yield (
            row["form"],
            f"{row['kilobytes']:.0f}",
            f"{row['microseconds_a_beat_of_1']:,.0f}",
            f"{row['microseconds_a_beat_of_256']:,.1f}",
            f"{row['microseconds_a_beat_of_100000']:,.1f}",
            f"{row['accuracy']:.4f}",
            f"{row['macro_f1']:.4f}",
            f"{row['labels_changed']:,}",
            f"{row['largest_difference']:.1g}",
        )


def interpatient(figures):
    """Yield the score within DS1, and means over seeds on DS2 with intervals."""
    within = {row["model"]: row["score"] for row in figures["within_ds1"]}
    runs = pd.DataFrame(figures["runs"])
    yield "model", "S, V F1 in DS1", "accuracy", "S F1", "V F1", "S F1 without 232"
    for model, rows in runs.groupby("model", sort=False):
        name = f"**{model}**" if model == figures["chosen"] else model
        shown = [("ds2", "accuracy"), ("ds2", "S F1"), ("ds2", "V F1"), ("without_232", "S F1")]
        yield name, f"{within[model]:.3f}", *(with_interval(rows[k], f) for k, f in shown)


def context(figures):
    """Yield accuracy and F1 of each experiment: mean over seeds, with intervals of the first."""
    yield (
        *("trained on", "tested on", "leads", "R peaks", "accuracy", "S F1", "V F1"),
        *("S F1 without 232", "medians S, V", "range of S F1"),
    )
    table = pd.DataFrame(figures)
    table["ensemble"] = table["seed"] == "mean of all"
    names = ["train", "test", "ensemble", "leads", "beats"]
    for (train, test, ensemble, leads, beats), rows in table.groupby(names, sort=False):
        medians = {
            label: np.mean([patients[label]["median_f1"] for patients in rows["patients"]])
            for label in "SV"
        }
        scores = [row["S F1"]["estimate"] for row in rows["figures"]]
        without = rows["without_232"].dropna() if "without_232" in rows else []
        yield (
            f"{train}, three networks" if ensemble else train,
            *(test, leads, beats),
            *(with_interval(rows["figures"], name) for name in ("accuracy", "S F1", "V F1")),
            with_interval(without, "S F1") if len(without) else "",
            f"{medians['S']:.2f}, {medians['V']:.2f}",
            "" if len(scores) == 1 else f"{min(scores):.3f} to {max(scores):.3f}",
        )


def kaggle_context(figures):
    """Yield accuracy, macro-F1 and F1 of each class."""
    scores = [f"F1 {label}" for label in "NSVFQ"]
    yield "network", "seed", "accuracy", "macro-F1", *scores, "parameters", "epochs", "seconds"
    for row in figures:
        yield (
            row["network"],
            "" if row["seed"] is None else str(row["seed"]),
            *(f"{row[name]:.4f}" for name in ("accuracy", "macro_f1")),
            *(f"{row[name]:.3f}" for name in scores),
            *(f"{row[name]:,.0f}" for name in ("parameters", "epochs", "seconds")),
        )


def with_interval(runs, figure):
    """Format the mean of a metric over seeds, and the mean limits of its interval."""
    table = pd.DataFrame([run[figure] for run in runs]).mean()
    interval = f"({table['low']:.2f} to {table['high']:.2f})".replace(" ", "\N{NO-BREAK SPACE}")
    return f"{table['estimate']:.3f} {interval}"


def transfer(figures):
    """Yield F1 and accuracy after the first five minutes, averaged over seeds."""
    table = pd.DataFrame(figures["ds2"])
    yield (
        "model",
        "S F1",
        "95% by patient",
        "V F1",
        "95% by patient",
        "accuracy",
        "S F1 without 232",
        "V F1 without 232",
    )
    for model, rows in table.groupby("model", sort=False):
        intervals = figures["ds2_first_seed"][model]["intervals"]
        yield (
            model,
            f"{rows['S_f1'].mean():.3f}",
            span(intervals["S_f1"]),
            f"{rows['V_f1'].mean():.3f}",
            span(intervals["V_f1"]),
            *(
                f"{rows[name].mean():.3f}"
                for name in ("accuracy", "S_f1_without_232", "V_f1_without_232")
            ),
        )


def infarction(figures):
    """Yield the figures from scratch on fold 10."""
    runs = pd.json_normalize(figures["runs"])
    key = ["network", "input", "share"]
    rest = (
        runs[runs["start"] == "scratch"].groupby(key)[["fold_10.accuracy", "fold_10.f1"]].mean()
    )
    yield "network", "patients", "AUROC (95% by patient)", "AUPRC", "accuracy", "F1"
    for row in figures["mean_of_seeds"]:
        if row["start"] == "scratch":
            yield (
                *(f"{row['network']}, {row['input']}", f"{row['share']:.0%}"),
                estimate_and_interval(row["auroc"]),
                f"{row['auprc'][0]:.3f}",
                *(f"{figure:.3f}" for figure in rest.loc[tuple(row[name] for name in key)]),
            )


def infarction_transfer(figures):
    """Yield the AUROC on fold 10 that each kind of transfer adds to that from scratch."""
    gains = {}
    for row in figures["mean_of_seeds"]:
        of_network = gains.setdefault((row["network"], row["input"], row["share"]), {})
        if row["start"] != "scratch":
            of_network[row["start"]] = estimate_and_interval(row["auroc_gain"], "+.3f")
    yield "network", "patients", "frozen", "gradual", "whole"
    for (network, leads, share), found in gains.items():
        starts = (found.get(start, "") for start in ("frozen", "gradual", "finetune"))
        yield f"{network}, {leads}", f"{share:.0%}", *starts


def superclasses(figures):
    """Yield the macro-AUROC and the AUROC of each superclass on fold 10, averaged over seeds."""
    labels = ("NORM", "MI", "STTC", "CD", "HYP")
    yield "model", "seeds", "macro-AUROC", "95% by patient", "macro-AUPRC", *labels
    for model, found in figures["models"].items():
        seeds = [seed["fold_10"] for seed in found["seeds"]]
        macro = pd.DataFrame([seed["macro"] for seed in seeds]).mean()
        per_class = [pd.DataFrame(seed["per_class"]).loc["auroc"] for seed in seeds]
        yield (
            *(model, len(seeds), f"{macro['auroc']:.3f}"),
            span((macro["auroc_low"], macro["auroc_high"])),
            f"{macro['auprc']:.3f}",
            *(f"{area:.3f}" for area in pd.concat(per_class, axis=1).mean(axis=1)[[*labels]]),
        )


def anomaly(figures):
    """Yield ROC areas between and within patients, averaged over seeds."""
    yield (
        "patients",
        "detector",
        "score",
        "AUROC",
        "95% by patient",
        "AUPRC",
        "S against N",
        "V against N",
        "F against N",
    )
    for patients, part in (("others", "between"), ("the same", "within")):
        if part not in figures:
            continue
        table = pd.DataFrame(figures[part])
        for (detector, score), rows in table.groupby(["detector", "score"], sort=False):
            areas = ("auprc", "S_auroc", "V_auroc", "F_auroc")
            intervals = rows["interval"].dropna() if "interval" in rows else []
            yield (
                patients,
                detector,
                score,
                f"{rows['auroc'].mean():.3f}",
                span(intervals.iloc[0]) if len(intervals) else "",
                *(f"{rows[name].mean():.3f}" for name in areas),
            )


def span(interval):
    """Format an interval."""
    low, high = interval
    return f"{low:.2f} to {high:.2f}"


def estimate_and_interval(figure, form=".3f"):
    """Format an estimate and its interval in one line."""
    return f"{figure[0]:{form}} ({span(figure[1:])})".replace(" ", "\N{NO-BREAK SPACE}")


def storage(figures):
    """Yield the peak memory of each array type and data size."""
    yield "X", "size", "beats", "X in MB", "peak in MB", "beyond X in MB"
    for row in sorted(figures, key=lambda row: row["X"]):
        megabytes = (f"{row[name]:,.0f}" for name in ("x_mb", "peak_mb", "beyond_x_mb"))
        yield row["X"], row["size"], f"{row['beats']:,}", *megabytes


#: Functions that yield the header and the rows of a table; the default is `networks`.
ROWS_OF = {
    "annotate": annotated,
    "kaggle-context": kaggle_context,
    "kaggle-held-out": networks,
    "kaggle": kaggle,
    "speed-storage": storage,
    "r-peaks-noise": r_peaks_noise,
    "r-peaks": r_peaks,
    "random-forest": random_forest,
    "context": context,
    "interpatient": interpatient,
    "export": graphs,
    "transfer": transfer,
    "anomaly": anomaly,
    "infarction-transfer": infarction_transfer,
    "infarction": infarction,
    "superclasses": superclasses,
}


class BenchmarkTable(Directive):
    """Table of one or several result files, with their commands and versions.

    The option ``kind`` selects another table of the same files, without commands and versions.
    """

    required_arguments = 1
    final_argument_whitespace = True
    option_spec: ClassVar = {"kind": directives.unchanged_required}

    def run(self):
        """Make the table."""
        names = self.arguments[0].split()
        documents = []
        for name in names:
            file = RESULTS / f"{name}.json"
            self.state.document.settings.env.note_dependency(str(file))
            documents.append(json.loads(file.read_text(encoding="utf-8")))
        figures = joined([document["figures"] for document in documents])
        named = self.options.get("kind", names[0])
        kind = next((kind for kind in ROWS_OF if named.startswith(kind)), None)
        rows = ROWS_OF.get(kind, networks)(figures)
        container = nodes.container()
        lines = [*lines_of(rows), "", *([] if self.options else origin(documents))]
        self.state.nested_parse(StringList(lines), 0, container)
        return container.children


def joined(figures):
    """Join the results of several runs of one benchmark."""
    first = figures[0]
    if len(figures) == 1:
        return first
    if isinstance(first, list):
        return [row for part in figures for row in part]
    result = {}
    for part in figures:
        for name, value in part.items():
            if isinstance(value, list):
                result[name] = [*result.get(name, []), *value]
            elif isinstance(value, dict):
                result[name] = {**result.get(name, {}), **value}
    return result


def lines_of(rows):
    """Format a header and rows as a list table."""
    lines = [".. list-table::", "   :header-rows: 1", "   :class: benchmark", ""]
    for first, *others in rows:
        lines += [f"   * - {first}", *(f"     - {cell}" for cell in others)]
    return lines


def origin(documents):
    """Format the commands, dates, machine and versions of results."""
    machine, versions = documents[-1]["machine"], documents[-1]["versions"]
    place = f"{machine['cores']} cores, {machine['processor']}, {machine['cuda'] or 'no GPU'}"
    packages = ", ".join(f"{package} {version}" for package, version in versions.items())
    days = sorted({document["date"][:10] for document in documents})
    seeds = ", ".join(sorted({str(document["seed"]) for document in documents}))
    return [
        ".. code-block:: console",
        "",
        *(f"   $ {module_command(document['command'])}" for document in documents),
        "",
        f"{' to '.join(dict.fromkeys([days[0], days[-1]]))}; seed {seeds}; {place}; {packages}.",
    ]


#: Modules of scripts whose path does not follow from their old name.
MODULES = {
    "networks": "accuracy.kaggle",
    "speed": "speed",
    "memory": "speed --only storage",
    "export": "speed.export",
}


def module_command(command):
    """Convert a recorded command to that of the module, without the folder of the records."""
    command = re.sub(r" --data \S+", "", command)
    found = re.fullmatch(r"python benchmarks/(\w+)\.py(.*)", command)
    if not found:
        return command
    name, arguments = found.groups()
    return f"python -m benchmarks.{MODULES.get(name, f'accuracy.{name}')}{arguments}"


def setup(app):
    """Add the directive."""
    ROWS_OF.update(SPEED)
    app.add_directive("benchmark", BenchmarkTable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
