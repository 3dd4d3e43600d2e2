"""The WebSocket gateway: rooms above sockets and Redis, and the process around them.

`sockets` speaks with clients, `redis` with Redis, and neither knows the other; `rooms` joins them. The
modules of this folder make a process of it.
"""
