"""The example of PyTorch (https://github.com/pytorch/examples/tree/main/mnist), written anew.

Its data loader is left out: the digits are tensors already, which is to its advantage.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from benchmarks.recipe import Clock, Digits

EPOCHS = 14


def build() -> nn.Module:
    """Two convolutions, pooling, two dense layers, dropout: 1.2 million weights."""
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
    """Adadelta at rate 1, which falls to 0.7 of itself each epoch; batches of 64."""
    torch.manual_seed(seed)
    x_train, y_train, x_test = to_tensors(digits)
    clock = Clock()
    model = build()
    optimizer = torch.optim.Adadelta(model.parameters(), lr=1.0)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.7)
    for epoch in range(1, epochs + 1):
        for rows in torch.randperm(len(x_train)).split(64):
            optimizer.zero_grad()
            functional.cross_entropy(model(x_train[rows]), y_train[rows]).backward()
            optimizer.step()
        schedule.step()
        clock.stop()
        clock.tell(epoch, classify(model, x_test), digits.y_test)
        clock.go_on()
    return model


def to_tensors(digits: Digits) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Training images and labels, and test images."""
    labels = torch.from_numpy(digits.y_train).long()
    return standardise(digits.x_train), labels, standardise(digits.x_test)


def standardise(images: np.ndarray) -> torch.Tensor:
    """By MNIST's mean and standard deviation, as both PyTorch recipes have them."""
    return (torch.from_numpy(images)[:, None].float() / 255 - 0.1307) / 0.3081


def classify(model: nn.Module, images: torch.Tensor) -> np.ndarray:
    """The predicted digits; afterwards the model trains on if it did."""
    training = model.training
    model.eval()
    with torch.no_grad():
        predictions = torch.cat([model(batch).argmax(dim=1) for batch in images.split(1000)])
    model.train(training)
    return predictions.numpy()


def predictor(model: nn.Module) -> Callable[[np.ndarray], np.ndarray]:
    """Digits for raw pixels ``(n, 28, 28)``."""
    model.eval()
    return lambda images: classify(model, standardise(images))
