"""The only code that can write a room's log: rules, batches, statements, leases. For the worker."""
