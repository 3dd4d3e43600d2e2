"""Process plumbing of every service: settings, logs, metrics, health and shutdown.

No stage of the message's way: all stages stand on it. It knows nothing of chat and never imports Django.
"""
