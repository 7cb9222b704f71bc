"""What the recipes of PyTorch share."""

from collections.abc import Callable

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from benchmarks.recipe import Clock, Digits


def train(
    digits: Digits,
    clock: Clock,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    batch_size: int,
    epochs: int,
    after_batch: Callable[[], None] = lambda: None,
    after_epoch: Callable[[], None] = lambda: None,
) -> nn.Module:
    """Train on shuffled batches, and classify the test digits after each epoch.

    There is no data loader: the digits are tensors already, which is to PyTorch's advantage.
    """
    x_train, y_train = standardize(digits.x_train), torch.from_numpy(digits.y_train).long()
    x_test = standardize(digits.x_test)
    for epoch in range(1, epochs + 1):
        for rows in torch.randperm(len(x_train)).split(batch_size):
            optimizer.zero_grad()
            functional.cross_entropy(model(x_train[rows]), y_train[rows]).backward()
            optimizer.step()
            after_batch()
        after_epoch()
        clock.stop()
        clock.tell(epoch, classify(model, x_test), digits.y_test)
        clock.go_on()
    return model


def standardize(images: np.ndarray) -> torch.Tensor:
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
    return lambda images: classify(model, standardize(images))
