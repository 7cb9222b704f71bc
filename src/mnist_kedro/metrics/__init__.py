"""Predict, corrupt digits and compute metrics, in pure functions that import no TensorFlow."""
