"""A simulation of docs/scaling.md: an install's parts as queues, and the crowd that comes back after a fault.

The model is coarse on purpose, so that ten million connections take seconds without any package:

- A message passes five stations one after the other: its gateway, Redis, its worker, Redis, a member's
  gateway. Each is simulated by itself with Poisson arrivals, and a message's time is the sum of one draw from
  each. That holds because each station mixes messages of thousands of people.
- Worker and gateway take all that waits at once (`queues.serve`): a batch costs something, and each of its
  entries a little more. So a single message costs most, and full batches least, as measured.
- All gateways are alike, and workers differ by their number of shards alone. The workers' own hash says which
  worker owns which shard. Rooms are equally busy.
- Whoever reconnects is a share of a crowd, not a person (`crowd.Return`): some hundred steps of half a second
  instead of ten million timers. The clients' backoff, the gateways' limits and the deadlines of a login are
  the code's own. A worker's shards are one queue, so chance helps nobody out of a jam.

What it leaves out: the network, the proxy in front, requests for tickets and pages, uploads, what clients
read after they are let in, and rooms in which much more is said than in others.
"""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "roomlog_api.check_settings")
django.setup()  # the workers' hash is beside their models
