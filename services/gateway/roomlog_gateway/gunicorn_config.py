"""gunicorn's settings for the gateway: `gunicorn --config python:roomlog_gateway.gunicorn_config …`.

Before the message's way; only gunicorn reads it. One process a pod: a second one would need its own health
port.
"""

import os
from importlib.util import find_spec

from roomlog_runtime.listening import reachable
from roomlog_runtime.logs import stdlib_config
from roomlog_runtime.one_worker import on_starting, when_ready

from .config import SERVICE, read_config

__all__ = ["on_starting", "when_ready"]

_config = read_config()

bind = [str(reachable(_config.bind))]
workers = 1
worker_class = "aiohttp.GunicornUVLoopWebWorker" if find_spec("uvloop") else "aiohttp.GunicornWebWorker"
max_requests = 0
"""A restart after n requests would cut thousands of sockets."""
timeout = 30
"""Seconds without a turn of the loop until the master kills the worker."""
graceful_timeout = int(_config.drain_seconds) + 5
"""The longest drain and the stop after it."""
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 - the heartbeat must not wait for a disk
control_socket_disable = True
"""It would be opened under HOME, which is read-only in the image; nobody asks it."""
accesslog = None
logconfig_dict = stdlib_config(SERVICE)
