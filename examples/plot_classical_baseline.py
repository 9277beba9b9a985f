"""
A classical baseline: rhythm, shape and a random forest
=======================================================

Before a network, a baseline without one. Seven features of each beat, most of them compared
with the beats before it, go into a random forest. One pipeline takes it all: where each beat
lies, and its signal.
"""

# %%
# Train on patients of DS1, test on others of DS1; DS2 is for the end of a study. A frame has the
# record, the position and the signal of each beat side by side.

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
# Each step gets its columns. The rhythm needs none of the signal, the QRS widths nothing else,
# and a width over its mean in the last 32 beats of the record needs both.

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
# What two of the features see: S and V beats come early, and V beats are wide.

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
ax.set(xlabel="previous RR interval over its running mean", ylabel="QRS width in ms")
ax.set(xlim=(0.2, 2), ylim=(0, 150))
_ = ax.legend()

# %%
# With RR intervals in seconds beside them. These say how fast a heart beats, and so which of the
# training patients a beat may be of. For a few new patients that may help or harm; from DS1 to
# DS2 it costs most of the S beats, see :ref:`baseline`.

in_seconds = RhythmFeatures(["rr_prev", "rr_next", "rr_prev_prev"], fs=360)
with_seconds = clone(model).set_params(
    features__transformers=[*features.transformers, ("seconds", in_seconds, keys)]
)
with_seconds.fit(train.frame, train.target)
second = beat_report(test.target, with_seconds.predict(test.frame))
reports = {"ratios and widths": report, "and seconds": second}
print(pd.DataFrame({name: r.per_class["f1"] for name, r in reports.items()}).round(3))

# %%
# How much the macro-F1 falls if one feature is shuffled among the test beats.

importance = permutation_importance(
    model["forest"],
    model["features"].transform(test.frame)[::4],
    test.target[::4],
    scoring="f1_macro",
    n_repeats=3,
    random_state=0,
)
fall = pd.Series(importance.importances_mean, index=table.columns).sort_values()
fig, ax = plt.subplots(figsize=(6.4, 3.2), layout="constrained")
fall.plot.barh(ax=ax, color="#0072B2")
ax.set_xlabel("fall of the macro-F1")
plt.show()
