"""Our own networks for the Kaggle rows, chosen on a held-out part of the training rows."""

from ecgclf import ECGCNNClassifier, ECGResNetClassifier
from ecgclf.transforms import Compose, GaussianNoise, TimeWarp

#: Small changes that leave a beat what it is: 5 % faster or slower around its R peak, noise.
AUGMENT = Compose([TimeWarp(factor=(0.95, 1.05), center=0.0), GaussianNoise(std=0.01)])

small_cnn = ECGCNNClassifier(max_epochs=30, label_smoothing=0.05)
augmented_resnet = ECGResNetClassifier(max_epochs=24, label_smoothing=0.05, augment=AUGMENT)

OURS = {
    "our CNN": small_cnn,
    "our residual network": augmented_resnet,
}


def seeds_of(*names: str, n_seeds: int = 1) -> list[tuple[str, int]]:
    """Name the runs of some networks with the seeds 0, 1, ..."""
    return [(name, seed) for name in names for seed in range(n_seeds)]


#: The runs whose probabilities are averaged.
ENSEMBLES = {
    "our CNN, average of 3": seeds_of("our CNN", n_seeds=3),
    "our residual network, average of 3": seeds_of("our residual network", n_seeds=3),
    "our CNN and residual network, average of 3 each": seeds_of(*OURS, n_seeds=3),
}
