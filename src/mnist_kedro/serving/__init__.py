"""Serve a trained model over HTTP: a drawing page and an API, without importing TensorFlow."""
