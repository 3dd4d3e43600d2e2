"""Between clients and workers: who is in which room, the order of its events, and who is sent them."""
