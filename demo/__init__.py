"""A song made by rules alone, words and truth included, and a short show of the service on it."""
