"""Where the install under test is: the settings of `make kind-up`, with the same defaults.

Before the message's way; reads the environment, nothing else.
"""

import os
import secrets
from typing import Final

CLUSTER: Final = os.environ.get("KIND_CLUSTER", "roomlog")
CONTEXT: Final = f"kind-{CLUSTER}"
NAMESPACE: Final = os.environ.get("KIND_NAMESPACE", "roomlog")
RELEASE: Final = "roomlog"
PAGE: Final = f"http://localhost:{os.environ.get('KIND_PAGE_PORT', '8800')}"
WEBSOCKET: Final = f"ws://localhost:{os.environ.get('KIND_WEBSOCKET_PORT', '8801')}/ws"
IS_FULL: Final = os.environ.get("SIZE", "small") == "full"
REPORT: Final = os.environ.get("E2E_REPORT", "e2e-report.json")

FAULT: Final = os.environ.get("FAULT", "")
"""Only this fault, whatever the size."""
ROUNDS: Final = int(os.environ.get("ROUNDS", "1"))
"""How often each fault comes."""
SEED: Final = int(os.environ.get("SEED") or secrets.randbits(32))
"""Who says what where in the first round; each later round has the next seed."""
SECONDS: Final = 90.0 if IS_FULL else 60.0
"""The shortest load around a fault that stands for its kind."""

USERS: Final = 20
CONNECTIONS: Final = 100
ROOMS: Final = 10
MEMBERS: Final = 8
"""Of each room: a message goes to 8 users with 5 connections each."""
