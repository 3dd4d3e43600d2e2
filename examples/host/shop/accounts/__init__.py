"""People of the shop: customers and staff."""
