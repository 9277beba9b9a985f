"""Networks of ecgclf for the Kaggle rows, chosen on held-out training rows."""

from sklearn.base import clone

from ecgclf import ECGCNNClassifier, ECGResNetClassifier
from ecgclf.augmentation import Compose, GaussianNoise, TimeWarp
from ecgclf.estimators import EffectiveNumber

#: Augmentation: up to 5 % faster or slower around the R peak, and noise.
AUGMENT = Compose([TimeWarp(factor=(0.95, 1.05), center=0.0), GaussianNoise(std=0.01)])

#: Training parameters. The class weights favour F slightly, which has 641 beats.
TRAINING = {"label_smoothing": 0.05, "class_weight": EffectiveNumber(beta=0.999)}

small_cnn = ECGCNNClassifier(max_epochs=30, **TRAINING)
cnn = ECGCNNClassifier(
    filters=(32, 32, 64, 64, 128, 128), max_epochs=24, augment=AUGMENT, **TRAINING
)
residual_network = ECGResNetClassifier(max_epochs=24, augment=AUGMENT, **TRAINING)

OURS = {
    "our small CNN": small_cnn,
    "our CNN": cnn,
    "our residual network": residual_network,
}

#: Networks compared on held-out rows in the last choice, of class weights.
CANDIDATES = OURS | {
    "our small CNN, no class weights": clone(small_cnn).set_params(class_weight=None),
    "our small CNN, beta 0.9997": clone(small_cnn).set_params(
        class_weight=EffectiveNumber(beta=0.9997)
    ),
    "our residual network, no class weights": clone(residual_network).set_params(
        class_weight=None
    ),
}

#: Runs, as names and seeds, whose probabilities are averaged.
ENSEMBLES = {
    "average of our residual network, 3 seeds": [
        ("our residual network", seed) for seed in range(3)
    ],
    "average of our three": [(name, 0) for name in OURS],
    "average of our three, 3 seeds": [(name, seed) for name in OURS for seed in range(3)],
}
