"""The trained model behind HTTP: a page to draw digits on, and an API. Imports no TensorFlow."""
