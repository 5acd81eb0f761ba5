"""Install, find and load the models."""
