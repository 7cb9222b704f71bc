"""Simulate photos of digits on paper, with the ink that is on them."""
