"""Builders of what tests need: digits, parameters, networks, projects, servers, a browser."""
