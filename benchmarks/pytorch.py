"""Train and evaluate networks of PyTorch, for both PyTorch recipes."""

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

    The digits are tensors in memory, without a data loader; this favors PyTorch.
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
        clock.report(epoch, classify(model, x_test), digits.y_test)
        clock.resume()
    return model


def standardize(images: np.ndarray) -> torch.Tensor:
    """Standardize pixels with MNIST's mean and standard deviation, as in both PyTorch recipes."""
    return (torch.from_numpy(images)[:, None].float() / 255 - 0.1307) / 0.3081


def classify(model: nn.Module, images: torch.Tensor) -> np.ndarray:
    """Predict digits ``(n,)`` in evaluation mode, and restore the previous mode."""
    training = model.training
    model.eval()
    with torch.no_grad():
        predictions = torch.cat([model(batch).argmax(dim=1) for batch in images.split(1000)])
    model.train(training)
    return predictions.numpy()


def predictor(model: nn.Module) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function from raw pixels ``(n, 28, 28)`` to digits ``(n,)``."""
    model.eval()
    return lambda images: classify(model, standardize(images))
