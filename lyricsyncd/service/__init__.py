"""Compose the service out of its components."""
