"""What can go wrong while Roomlog is started on one machine.

LocalError
├── ServerMissing: no Valkey or Redis server is installed
├── StartFailed: a process ended, or was not ready in time
├── StartInterrupted: the stop was requested before everything was ready
├── PortsTaken: no port of ours is free
├── AlreadyRunning: another run holds the same folder
└── OlderData: the folder's database has the tables of an older Roomlog
"""


class LocalError(Exception):
    """The root of the local run's errors; its text is one sentence for the console."""


class ServerMissing(LocalError):
    """No Valkey or Redis server is installed."""


class StartFailed(LocalError):
    """A process ended, or was not ready in time."""


class StartInterrupted(LocalError):
    """The stop was requested before everything was ready."""


class PortsTaken(LocalError):
    """No port of ours is free."""


class AlreadyRunning(LocalError):
    """Another run holds the same folder."""


class OlderData(LocalError):
    """The folder's database has the tables of an older Roomlog."""
