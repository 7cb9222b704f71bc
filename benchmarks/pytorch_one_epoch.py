"""Train for one epoch with the recipe of ``train_mnist_fast``, reimplemented.

The recipe uses Adam with betas 0.7 and 0.9, a one-cycle learning rate, and batches of 256.
"""

import torch
from torch import nn

from benchmarks import pytorch
from benchmarks.pytorch import predictor
from benchmarks.recipe import Clock, Digits

__all__ = ["EPOCHS", "predictor", "train"]

EPOCHS = 1
_BATCH, _PEAK_RATE = 256, 0.01


def build() -> nn.Module:
    """Build a network with two convolutions, pooling and two dense layers."""
    return nn.Sequential(
        nn.Conv2d(1, 24, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(24, 32, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(800, 256),
        nn.ReLU(),
        nn.Linear(256, 10),
    )


def train(digits: Digits, seed: int, epochs: int = EPOCHS) -> nn.Module:
    """Train with a learning rate that rises and falls once over all epochs."""
    torch.manual_seed(seed)
    clock, model = Clock(), build()
    optimizer = torch.optim.Adam(model.parameters(), lr=_PEAK_RATE, betas=(0.7, 0.9))
    steps = epochs * -(-len(digits.x_train) // _BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _PEAK_RATE, total_steps=steps)
    return pytorch.train(digits, clock, model, optimizer, _BATCH, epochs, after_batch=schedule.step)
