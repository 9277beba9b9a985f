"""
Choose an architecture by grid search
=====================================

The estimators are ordinary scikit-learn estimators: a network goes into a
:class:`~sklearn.pipeline.Pipeline`, and any of its parameters into a
:class:`~sklearn.model_selection.GridSearchCV`. Passed the patients as ``groups``, the
cross-validation keeps each patient within one fold.
"""

# %%
# The search uses the training records alone, here one beat in sixteen of the classes N, S, V
# and F (there are hardly any Q beats). DS2 stays untouched until a model is chosen.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from ecgclf import ECGCNNClassifier
from ecgclf.datasets import get_data_home, load_mitbih, make_beats

try:
    beats = load_mitbih(get_data_home() / "mitdb", records="ds1", fs=120)
except FileNotFoundError:
    beats = make_beats(n_beats=50_000, n_patients=22, random_state=0)

beats = beats.select((np.arange(len(beats.target)) % 16 == 0) & (beats.target != "Q"))
print(f"{len(beats.target):,} beats of {len(np.unique(beats.groups))} patients")

# %%
# Two ways to end the time axis, three kernel sizes, three folds: 18 small networks.

pipeline = Pipeline(
    [
        ("scale", StandardScaler()),
        ("cnn", ECGCNNClassifier(filters=(16, 32), stride=2, random_state=0, verbose=0)),
    ]
)
search = GridSearchCV(
    pipeline,
    {"cnn__kernel_size": [3, 7, 15], "cnn__global_pool": ["avg_max", "max"]},
    scoring="f1_macro",
    cv=StratifiedGroupKFold(3),
)
search.fit(beats.data, beats.target, groups=beats.groups)
print(search.best_params_)

# %%
# Mean over the folds, with the standard deviation between them.

results = pd.DataFrame(search.cv_results_)
fig, ax = plt.subplots(figsize=(6.4, 4), layout="constrained")
for pool, rows in results.groupby("param_cnn__global_pool"):
    ax.errorbar(
        rows["param_cnn__kernel_size"].astype(int),
        rows["mean_test_score"],
        yerr=rows["std_test_score"],
        marker="o",
        capsize=3,
        label=f"global_pool={pool!r}",
    )
ax.set(xlabel="kernel_size", ylabel="macro-F1", xticks=[3, 7, 15])
_ = ax.legend()

# %%
# The bars are as long as the differences are large: a handful of patients in each fold
# decides. That is how it is with patient-wise folds, and a reason not to read much into the
# third digit.
