"""This project beside what a person would use instead; ``make bench`` runs it.

Every training is a process of its own, and the recipes take turns, so that a noisy machine is noisy
for all of them. Nothing here is a test: times are printed, not asserted.
"""
