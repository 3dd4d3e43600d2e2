"""The database of Roomlog: models, migrations, services (every write) and selectors (every shared read).

The truth of every room. Knows the contract, but neither Redis nor sockets nor any service.
"""
