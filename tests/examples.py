"""How many examples a property is tried on: `make check` few, `make test` the full number."""

from hypothesis import settings

few = settings(max_examples=max(3, settings.default.max_examples // 8))
"""For properties that fit something at every example."""
