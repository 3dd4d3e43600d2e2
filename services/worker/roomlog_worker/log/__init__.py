"""The only code that can write a room's log: rules, batches, statements, leases. Nobody else imports it."""
