"""Benchmark this project against common alternatives; ``make bench`` runs the main benchmarks.

Each training runs in a separate process, and the recipes alternate, so that noise of the machine
affects all of them. The benchmarks are not tests: times are printed, not asserted.
"""
