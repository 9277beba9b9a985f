"""
Comparison of several models
============================

From training to the table of a publication: three models, three seeds each, new patients, the
statistics of ANSI/AAMI EC57, intervals over patients, differences on the same patients with
p-values corrected for several comparisons, and a table for LaTeX.

Needs MIT-BIH records, or synthetic beats without them.
"""

# %%
# Train on DS1 and test on DS2 without record 202, whose patient is in DS1. Every sixteenth beat
# is used, except for class Q, which has too few beats.

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ecgclf import ECGCNNClassifier
from ecgclf.datasets import DS1, DS2, get_data_home, load_mitbih, make_beats
from ecgclf.evaluation import (
    EC57_METRICS,
    audit_split,
    compare_models,
    ec57_report,
    figures_without,
    mcnemar_test,
)
from ecgclf.plots import ComparisonDisplay

try:
    records = [*DS1, *(name for name in DS2 if name != "202")]
    beats = load_mitbih(get_data_home() / "mitdb", records=records, fs=120)
    is_train = np.isin(beats.record, DS1)
except FileNotFoundError:
    weights = (0.89, 0.03, 0.07, 0.01, 0)
    beats = make_beats(n_beats=50_000, n_patients=43, weights=weights, random_state=0)
    is_train = beats.groups < 22

some = (np.arange(len(beats.target)) % 16 == 0) & (beats.target != "Q")
beats, is_train = beats.select(some), is_train[some]
train, test = beats.select(is_train), beats.select(~is_train)
print(audit_split(beats, is_train, ~is_train))

# %%
# A network on single beats, the same network with rhythm features, and a random forest on rhythm
# features alone. Each is trained with three seeds.

n_rhythm = beats.rhythm.shape[1]
settings = {"class_weight": "balanced", "max_epochs": 5, "verbose": 0}
models = {
    "beat": (ECGCNNClassifier(**settings), lambda b: b.data),
    "beat and rhythm": (
        ECGCNNClassifier(n_tabular=n_rhythm, **settings),
        lambda b: np.column_stack([b.data, b.rhythm]),
    ),
    "rhythm": (
        RandomForestClassifier(50, class_weight="balanced", min_samples_leaf=5),
        lambda b: b.rhythm,
    ),
}
predicted = {}
for name, (model, of_beats) in models.items():
    predicted[name] = []
    for seed in range(3):
        pipeline = make_pipeline(StandardScaler(), model.set_params(random_state=seed))
        pipeline.fit(of_beats(train), train.target)
        predicted[name].append(pipeline.predict(of_beats(test)))

# %%
# EC57 report of one network, with intervals of the gross figures over patients:

y_pred = predicted["beat and rhythm"][0]
print(ec57_report(test.target, y_pred, test.record, groups=test.groups, random_state=0))

# %%
# The models by the same rules: each figure is the mean over the seeds. If the interval of a
# difference contains 0, the result is inconclusive, even where the models seem far apart.

names = ["SVEB Se", "SVEB +P", "SVEB F1", "VEB Se", "VEB +P", "VEB F1"]
metrics = dict(zip(names, EC57_METRICS, strict=True))
comparison = compare_models(test.target, predicted, test.groups, metrics, random_state=0)
print(comparison)

# %%
# Grey bars join models that do not differ significantly:

ComparisonDisplay(comparison).plot()

# %%
# McNemar's test treats beats as independent, so it finds differences that depend on few patients
# significant:

print(mcnemar_test(test.target, predicted["beat"][0], y_pred))

# %%
# Results without the record that contains most of the S beats:

names, counts = np.unique(test.record[test.target == "S"], return_counts=True)
most = names[counts.argmax()]
print(f"Record {most} has {counts.max() / counts.sum():.0%} of the S beats.")
print(figures_without(test.target, y_pred, test.record, [most], metrics).round(3))

# %%
# The table in LaTeX, which needs ``\usepackage{booktabs}``:

cells = [
    f"{row.estimate:.2f} ({row.low:.2f}--{row.high:.2f})"
    for row in comparison.estimates.itertuples()
]
table = comparison.estimates.assign(cell=cells)["cell"].unstack("model", sort=False)
latex = table.rename_axis(index=None, columns=None).to_latex(
    column_format="lccc",
    escape=True,
    caption=r"Results on DS2 without record 202, with 95\% intervals over patients.",
)
print(latex)
