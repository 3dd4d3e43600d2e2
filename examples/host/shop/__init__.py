"""A small shop: customers order, staff serve, and both chat about each order."""
