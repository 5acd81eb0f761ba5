"""Songs in many languages, made on the spot and placed: ``python -m benchmarks.languages -h``."""
