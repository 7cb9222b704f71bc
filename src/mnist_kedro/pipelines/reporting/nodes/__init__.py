"""Nodes of the ``reporting`` pipeline: those that compute, and those that draw."""
