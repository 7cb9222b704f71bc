"""Predict digits, corrupt them and compute metrics, in pure functions without TensorFlow."""
