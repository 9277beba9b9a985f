"""
Random forest on rhythm and shape features
==========================================

A classical baseline for comparison with networks: seven features of each beat, most of them
relative to previous beats, and a random forest. A single pipeline takes the positions and the
signals of beats.

Needs MIT-BIH records, or synthetic beats without them.
"""

# %%
# Train and test on different patients of DS1; DS2 is reserved for the final evaluation. The
# DataFrame contains the record, the position and the signal of each beat.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.inspection import permutation_importance
from sklearn.model_selection import GroupShuffleSplit
from sklearn.pipeline import Pipeline

from ecgclf.datasets import get_data_home, load_mitbih, make_beats
from ecgclf.evaluation import beat_report
from ecgclf.transforms import MorphologyFeatures, QRSWidth, RecordRelative, RhythmFeatures

try:
    records = get_data_home() / "mitdb"
    beats = load_mitbih(records, records="ds1", rhythm=False, as_frame=True)
except FileNotFoundError:
    beats = make_beats(n_beats=8000, n_patients=20, fs=360, random_state=0, as_frame=True)
split = GroupShuffleSplit(1, test_size=0.4, random_state=2)
train, test = (beats.select(rows) for rows in next(split.split(beats.data, groups=beats.groups)))
print(beats.frame.iloc[:3, :6])

# %%
# Each step selects its columns. The rhythm features do not need the signal, the QRS widths need
# only the signal, and the width relative to the mean of the last 32 beats needs both.

keys, signal = ["record", "sample"], list(beats.data.columns)
ratios = [
    "rr_prev_over_mean_32",
    "rr_next_over_mean_32",
    "rr_prev_prev_over_mean_32",
    "rr_prev_over_prev_prev",
]
widths = MorphologyFeatures(fs=360, before=0.25, measures=[QRSWidth([0.5, 0.25])])
width = MorphologyFeatures(fs=360, before=0.25, measures=[QRSWidth([0.5])])
features = ColumnTransformer(
    [
        ("rhythm", RhythmFeatures(ratios), keys),
        ("width", widths, signal),
        ("relative", RecordRelative(width), [*keys, *signal]),
    ],
    verbose_feature_names_out=False,
)
forest = RandomForestClassifier(30, min_samples_leaf=5, max_samples=0.2, random_state=0)
model = Pipeline([("features", features), ("forest", forest)])
model.fit(train.frame, train.target)
report = beat_report(test.target, model.predict(test.frame), groups=test.groups)
print(report)

# %%
# Two of the features: S and V beats are early, and V beats are wide. The width is that of the R
# wave at half its height, much less than the duration of the QRS complex.

table = pd.DataFrame(
    model["features"].transform(train.frame),
    columns=model["features"].get_feature_names_out(),
)
fig, ax = plt.subplots(figsize=(6.4, 4.4), layout="constrained")
rng = np.random.default_rng(0)
for label, color in {"N": "#999999", "S": "#0072B2", "V": "#D55E00"}.items():
    rows = np.flatnonzero(train.target == label)
    rows = rng.choice(rows, min(len(rows), 400), replace=False)
    ax.scatter(
        table["rr_prev_over_mean_32"].iloc[rows],
        1000 * table["qrs_width_50"].iloc[rows],
        s=8,
        alpha=0.6,
        color=color,
        label=label,
    )
ax.set(
    xlabel="previous RR interval / running mean",
    ylabel="width of the QRS complex at half height (ms)",
)
ax.set(xlim=(0.2, 2), ylim=(0, 150))
_ = ax.legend()

# %%
# The same with RR intervals in seconds. They contain the heart rate, which identifies training
# patients. The effect depends on the few new patients; from DS1 to DS2 most S beats are missed,
# see :ref:`baseline`.

in_seconds = RhythmFeatures(["rr_prev", "rr_next", "rr_prev_prev"], fs=360)
with_seconds = clone(model).set_params(
    features__transformers=[*features.transformers, ("seconds", in_seconds, keys)]
)
with_seconds.fit(train.frame, train.target)
second = beat_report(test.target, with_seconds.predict(test.frame))
reports = {"ratios and widths": report, "with seconds": second}
print(pd.DataFrame({name: r.per_class["f1"] for name, r in reports.items()}).round(3))

# %%
# Decrease of the macro-F1 when a feature is permuted among the test beats.

importance = permutation_importance(
    model["forest"],
    model["features"].transform(test.frame)[::4],
    test.target[::4],
    scoring="f1_macro",
    n_repeats=3,
    random_state=0,
)
decrease = pd.Series(importance.importances_mean, index=table.columns).sort_values()
fig, ax = plt.subplots(figsize=(6.4, 3.2), layout="constrained")
decrease.plot.barh(ax=ax, color="#0072B2")
ax.set_xlabel("decrease of the macro-F1")
plt.show()
