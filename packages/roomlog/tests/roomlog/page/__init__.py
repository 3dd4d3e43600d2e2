"""A package, so that one browser serves all of its tests: see `browser` in conftest.py."""
