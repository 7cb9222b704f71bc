"""Train PyTorch's MNIST example, reimplemented (github.com/pytorch/examples/tree/main/mnist)."""

import torch
from torch import nn

from benchmarks import pytorch
from benchmarks.pytorch import predictor
from benchmarks.recipe import Clock, Digits

__all__ = ["EPOCHS", "predictor", "train"]

EPOCHS = 14


def build() -> nn.Module:
    """Build a network with two convolutions, pooling, dropout and two dense layers."""
    return nn.Sequential(
        nn.Conv2d(1, 32, 3),
        nn.ReLU(),
        nn.Conv2d(32, 64, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Dropout(0.25),
        nn.Flatten(),
        nn.Linear(9216, 128),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(128, 10),
    )


def train(digits: Digits, seed: int, epochs: int = EPOCHS) -> nn.Module:
    """Train with Adadelta and batches of 64; the rate starts at 1 and falls by 30% per epoch."""
    torch.manual_seed(seed)
    clock, model = Clock(), build()
    optimizer = torch.optim.Adadelta(model.parameters(), lr=1.0)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.7)
    return pytorch.train(digits, clock, model, optimizer, 64, epochs, after_epoch=schedule.step)
