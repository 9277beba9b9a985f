"""Two published networks in plain torch, with training loops."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

N_CLASSES = 5


class PlainDeepCNN(nn.Module):
    """Network 2: eight convolutions, global max pooling, two dense layers."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 1
        for i, (filters, kernel) in enumerate(
            zip((16, 16, 32, 32, 32, 32, 256, 256), (5, 5, 3, 3, 3, 3, 3, 3))
        ):
            layers += [nn.Conv1d(channels, filters, kernel), nn.ReLU()]
            channels = filters
            if i in (1, 3, 5):
                layers += [nn.MaxPool1d(2), nn.Dropout(0.1)]
        self.layers = nn.Sequential(*layers)
        self.head = nn.Sequential(
            nn.Dropout(0.2),
            nn.Linear(256, 64),
            nn.ReLU(),
            nn.Linear(64, 64),
            nn.ReLU(),
            nn.Linear(64, N_CLASSES),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Compute logits of beats of shape (batch, 187)."""
        return self.head(self.layers(x.unsqueeze(1)).amax(dim=2))


class SmallCNN(nn.Module):
    """Network 4: three convolutions with batch norm and much dropout, one dense layer."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 1
        for kernel in (5, 3, 3):
            layers += [
                nn.Conv1d(channels, 64, kernel, padding="same"),
                nn.BatchNorm1d(64),
                nn.Dropout(0.4),
                nn.ReLU(),
                nn.MaxPool1d(2, ceil_mode=True),
            ]
            channels = 64
        self.layers = nn.Sequential(*layers)
        self.head = nn.Sequential(
            nn.Flatten(),
            nn.Linear(64 * 24, 64),
            nn.ReLU(),
            nn.Dropout(0.4),
            nn.Linear(64, N_CLASSES),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Compute logits of beats of shape (batch, 187)."""
        return self.head(self.layers(x.unsqueeze(1)))


def train_on_slices(
    network: nn.Module, X: Tensor, codes: Tensor, *, batch_size: int, epochs: int, lr: float
) -> None:
    """Train on slices of shuffled tensors, the shortest possible loop."""
    optimizer = torch.optim.Adam(network.parameters(), lr=lr)
    criterion = nn.CrossEntropyLoss()
    network.train()
    for _ in range(epochs):
        order = torch.randperm(len(X))
        for start in range(0, len(X), batch_size):
            rows = order[start : start + batch_size]
            optimizer.zero_grad()
            criterion(network(X[rows]), codes[rows]).backward()
            optimizer.step()


def train_with_loader(
    network: nn.Module, X: Tensor, codes: Tensor, *, batch_size: int, epochs: int, lr: float
) -> None:
    """Train with a DataLoader, as tutorials do."""
    loader = DataLoader(TensorDataset(X, codes), batch_size=batch_size, shuffle=True)
    optimizer = torch.optim.Adam(network.parameters(), lr=lr)
    criterion = nn.CrossEntropyLoss()
    network.train()
    for _ in range(epochs):
        for x, y in loader:
            optimizer.zero_grad()
            criterion(network(x), y).backward()
            optimizer.step()


def logits(network: nn.Module, X: Tensor, batch_size: int) -> np.ndarray:
    """Compute the logits of all beats in batches."""
    network.eval()
    with torch.no_grad():
        return torch.cat([network(x) for x in X.split(batch_size)]).numpy()


def copy_weights(plain: nn.Module, ours: nn.Module) -> None:
    """Copy the weights of one of our networks into the plain network, layer by layer.

    Our convolutions are of images of height 1, and have no bias before a batch norm.
    """
    kinds = (nn.Conv1d, nn.Conv2d, nn.BatchNorm1d, nn.BatchNorm2d, nn.Linear)
    pairs = zip(*([m for m in net.modules() if isinstance(m, kinds)] for net in (plain, ours)))
    for to, source in pairs:
        state = {name: value.clone() for name, value in source.state_dict().items()}
        state["weight"] = state["weight"].reshape(to.weight.shape)
        if to.bias is not None:
            state.setdefault("bias", torch.zeros_like(to.bias))
        to.load_state_dict(state)
