"""Checks before a release, and what is published with it."""
