"""Draw Matplotlib figures from plain data, in one style."""
