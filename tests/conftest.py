"""How hard hypothesis looks: ``--hypothesis-profile=thorough`` for a long, patient search."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("default", max_examples=100, deadline=None)
settings.register_profile("thorough", max_examples=10_000, deadline=None)
settings.load_profile("default")
