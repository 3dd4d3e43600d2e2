"""The wire of Roomlog: what frames, envelopes, streams and channels look like.

Pure data and pure functions, the same for the gateway, the workers, the api and clients.
No I/O, no clock, no environment. The specification is the README beside this package.
"""
