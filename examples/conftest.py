"""Keep the examples out of a run over the whole house: each is a project with settings of its own.

`.venv/bin/pytest examples/host` runs one.
"""

collect_ignore = ["host"]
