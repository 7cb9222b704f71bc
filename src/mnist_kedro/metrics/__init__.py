"""Compute metrics of models, in pure functions of NumPy arrays without TensorFlow."""
