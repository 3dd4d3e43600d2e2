"""What can go wrong in the plumbing.

PlumbingError
└── SettingError: an environment variable is missing or can't be read

No stage of the message's way; it must not import anything of Roomlog.
"""


class PlumbingError(Exception):
    """The root of the plumbing's own errors."""


class SettingError(PlumbingError):
    """An environment variable is missing or wrong; its text names the variable and never a secret's value."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"{name} {problem}")
        self.name = name
        self.problem = problem
