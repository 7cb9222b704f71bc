"""What is computed about the models: pure functions over NumPy arrays, no TensorFlow."""
