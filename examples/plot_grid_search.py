"""
Grid search over an architecture
================================

Networks work in a :class:`~sklearn.pipeline.Pipeline`, and all of their parameters in a
:class:`~sklearn.model_selection.GridSearchCV`. With the patients as ``groups``, cross-validation
keeps each patient within one fold.

Needs MIT-BIH records, or synthetic beats without them.
"""

# %%
# The search uses only the training records, here every sixteenth beat of the classes N, S, V and
# F (there are few Q beats). DS2 is not used until a model is chosen.

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
# Two types of global pooling, three kernel sizes and three folds: 18 small networks.

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
# Mean and standard deviation over the folds.

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
# The standard deviations are as large as the differences because each fold contains only a few
# patients. Small differences between such scores are not significant.
