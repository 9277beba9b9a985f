"""Networks for recordings of 12 leads and 10 s, and a random forest on features."""

from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier

from ecgclf import ECGInceptionClassifier, ECGResNetClassifier
from ecgclf.augmentation import RandomCrop

# network: training on 12 leads
#: As Strodthoff et al. 2021: stretches of 2.5 s, one cycle of the learning rate.
on_crops = {
    "augment": RandomCrop(n_samples=250),
    "optimizer": "adamw",
    "lr_schedule": "one_cycle",
    "lr": 5e-3,
    "batch_size": 64,
    "max_epochs": 25,
}
# end

# network: our residual network for 12 leads
residual_network = ECGResNetClassifier(global_pool="avg", dense_dropout=0.5, **on_crops)
# end

# network: xresnet1d101
xresnet1d101 = ECGResNetClassifier(
    block="xresnet",
    filters=(256, 256, 256, 256),
    n_blocks=(3, 4, 23, 3),
    stem_filters=(32, 32, 64),
    stem_kernel_size=5,
    stem_pool_size=3,
    squeeze_excite=False,
    dense=(128,),
    dense_dropout=0.5,
    **on_crops,
)
xresnet1d50 = clone(xresnet1d101).set_params(n_blocks=(3, 4, 6, 3))
# end

# network: inception
inception = ECGInceptionClassifier(**on_crops)
# end

#: Estimators by name; the forest takes features of the median beat.
NETWORKS = {
    "our residual network": residual_network,
    "xresnet1d101 (Strodthoff et al. 2021)": xresnet1d101,
    "xresnet1d50 (Strodthoff et al. 2021)": xresnet1d50,
    "inception network": inception,
}
FOREST = "random forest on the median beat"
forest = RandomForestClassifier(300, min_samples_leaf=3, max_features=0.05, n_jobs=1)
