"""Commands of the api: `make_demo`."""
