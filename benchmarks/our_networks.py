"""Our own networks for the Kaggle rows, chosen on a held-out part of the training rows."""

from ecgclf import ECGCNNClassifier, ECGResNetClassifier
from ecgclf.transforms import Compose, GaussianNoise, TimeWarp

#: Small changes that leave a beat what it is: 5 % faster or slower around its R peak, noise.
AUGMENT = Compose([TimeWarp(factor=(0.95, 1.05), center=0.0), GaussianNoise(std=0.01)])

small_cnn = ECGCNNClassifier(max_epochs=30, label_smoothing=0.05)
cnn = ECGCNNClassifier(
    filters=(32, 32, 64, 64, 128, 128), max_epochs=24, label_smoothing=0.05, augment=AUGMENT
)
residual_network = ECGResNetClassifier(max_epochs=24, label_smoothing=0.05, augment=AUGMENT)

OURS = {
    "our small CNN": small_cnn,
    "our CNN": cnn,
    "our residual network": residual_network,
}

#: The runs, as names and seeds, whose probabilities are averaged.
ENSEMBLES = {
    "average of our CNN, 3 seeds": [("our CNN", seed) for seed in range(3)],
    "average of our three": [(name, 0) for name in OURS],
    "average of our three, 2 seeds": [(name, seed) for name in OURS for seed in range(2)],
}
