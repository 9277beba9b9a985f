"""
Tuning with Optuna
==================

:class:`~ecgclf.search.OptunaSearchCV` proposes settings similar to the best ones so far, and
prunes trials that fall behind after the first epochs. The score is computed on validation
patients.

Needs the extra ``search``; MIT-BIH records, or synthetic beats without them.
"""

# %%
# Every sixteenth beat of the training records, of the classes N, S, V and F. The patients of DS1
# are split once: two thirds for training and one third for validation. The test records, DS2, are
# not loaded.

import matplotlib.pyplot as plt
import numpy as np
from optuna.pruners import MedianPruner
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from ecgclf import ECGCNNClassifier
from ecgclf.datasets import get_data_home, load_mitbih, make_beats
from ecgclf.search import Choice, FloatRange, OptunaSearchCV, SearchSpace

try:
    beats = load_mitbih(get_data_home() / "mitdb", records="ds1", fs=120)
except FileNotFoundError:
    beats = make_beats(n_beats=50_000, n_patients=22, random_state=0)

beats = beats.select((np.arange(len(beats.target)) % 16 == 0) & (beats.target != "Q"))
folds = StratifiedGroupKFold(3, shuffle=True, random_state=0)
train, validation = next(folds.split(beats.data, beats.target, beats.groups))
print("training patients:  ", *np.unique(beats.groups[train]))
print("validation patients:", *np.unique(beats.groups[validation]))

# %%
# Twelve trials of at most eight epochs. The first four are not pruned, so that the pruner has a
# median to compare with. Later trials are pruned if they are below the median after at least two
# epochs.

pipeline = Pipeline(
    [
        ("scale", StandardScaler()),
        (
            "cnn",
            ECGCNNClassifier(filters=(16, 32), stride=2, max_epochs=8, random_state=0, verbose=0),
        ),
    ]
)
space = SearchSpace(
    {
        "cnn__lr": FloatRange(1e-4, 1e-1, log=True),
        "cnn__batch_size": Choice([16, 32, 64, 128, 256]),
    }
)
search = OptunaSearchCV(
    pipeline,
    space,
    n_trials=12,
    scoring="f1_macro",
    cv=[(train, validation)],
    pruner=MedianPruner(n_startup_trials=4, n_warmup_steps=2),
    random_state=0,
)
search.fit(beats.data, beats.target, groups=beats.groups)
columns = ["number", "state", "param_cnn__lr", "param_cnn__batch_size", "mean_test_score"]
print(search.trials_[columns].round(4).to_string(index=False))

# %%
# Left: the score after each epoch; grey lines are pruned trials. Right: the parameters of the
# trials.

fig, (left, right) = plt.subplots(1, 2, figsize=(9.5, 4), layout="constrained")
for trial in search.study_.trials:
    pruned = trial.state.name == "PRUNED"
    epochs, scores = zip(*sorted(trial.intermediate_values.items()), strict=True)
    left.plot(epochs, scores, color="0.7" if pruned else "C0", marker="x" if pruned else None)
left.set(xlabel="epoch", ylabel="macro-F1 on validation patients")

done = search.trials_["state"] == "COMPLETE"
for rows, marker in ((search.trials_[done], "o"), (search.trials_[~done], "x")):
    points = right.scatter(
        rows["param_cnn__lr"],
        rows["param_cnn__batch_size"].astype(int),
        c=rows["mean_test_score"].astype(float),
        marker=marker,
        vmin=search.trials_["mean_test_score"].min(),
        vmax=search.best_score_,
    )
right.set_xscale("log")
right.set_yscale("log", base=2)
right.set(xlabel="lr", ylabel="batch_size")
_ = fig.colorbar(points, ax=right, label="last macro-F1 (cross: pruned)")

# %%
# The estimator is refitted with the best setting on all patients of DS1. Its score is optimistic
# because it is the best of twelve. To report a result, evaluate once on DS2.

print(search.best_params_, f"{search.best_score_:.3f}")
