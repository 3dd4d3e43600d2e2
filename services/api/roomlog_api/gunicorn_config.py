"""gunicorn's settings for the api, and the health server beside it.

Around people's requests. One process with threads: the chat itself never comes here, and one process
counts its metrics in memory. The control socket stays off: the image's root is read-only. All settings are
read here, in the master: it ends with the sentence about a wrong one, a worker would show a traceback.
"""

import os
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from roomlog_runtime.listening import reachable
from roomlog_runtime.logs import stdlib_config
from roomlog_runtime.one_worker import on_starting, when_ready
from roomlog_runtime.settings import read_bind

__all__ = ["on_starting", "post_worker_init", "when_ready"]

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "roomlog_api.settings")
import_module(os.environ["DJANGO_SETTINGS_MODULE"])

bind = str(reachable(read_bind("ROOMLOG_BIND", "0.0.0.0:8000")))
worker_class = "roomlog_api.requests_in_full.FullRequestWorker"
workers = 1
threads = 8
worker_connections = 500
"""The 501st evicts the one waited for longest; below the usual 1,024 files of a process."""
sendfile = False
"""The worker writes what a client is slow to take."""
timeout = 30
graceful_timeout = 25
"""Below Kubernetes' default grace of 30 s."""
keepalive = 75
"""Above the idle time of common proxies, so that it is they who close."""
max_requests = 0
control_socket_disable = True
_MEMORY = Path("/dev/shm")  # noqa: S108 - where there is one
worker_tmp_dir = str(_MEMORY) if _MEMORY.is_dir() else None
"""The heartbeat file: on a slow disk it can stall, and the process would be killed for it."""
logconfig_dict = stdlib_config("api")
HEALTH_BIND: Final = read_bind("ROOMLOG_HEALTH_BIND", "0.0.0.0:9082")


def post_worker_init(worker: Any) -> None:
    """Start the health server in the process that serves, once the application is loaded."""
    from roomlog_api.health import start

    start(HEALTH_BIND, worker.tpool)
