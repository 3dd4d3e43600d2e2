"""Where the install under test is: the settings of `make kind-up`, with the same defaults.

Before the message's way; reads the environment, nothing else.
"""

import os
from typing import Final

CLUSTER: Final = os.environ.get("KIND_CLUSTER", "roomlog")
CONTEXT: Final = f"kind-{CLUSTER}"
NAMESPACE: Final = os.environ.get("KIND_NAMESPACE", "roomlog")
RELEASE: Final = "roomlog"
PAGE: Final = f"http://localhost:{os.environ.get('KIND_PAGE_PORT', '8800')}"
WEBSOCKET: Final = f"ws://localhost:{os.environ.get('KIND_WEBSOCKET_PORT', '8801')}/ws"
IS_FULL: Final = os.environ.get("SIZE", "small") == "full"
REPORT: Final = os.environ.get("E2E_REPORT", "e2e-report.json")

USERS: Final = 20
CONNECTIONS: Final = 100
ROOMS: Final = 10
MEMBERS: Final = 8
"""Of each room: a message goes to 8 users with 5 connections each."""
