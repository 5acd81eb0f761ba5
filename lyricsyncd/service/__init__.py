"""Compose the service out of its components.

`service.Service` is the composition root: it lists the components once, and starts, reloads, ticks
and stops them in order. Everything else here is one component a file.
"""
