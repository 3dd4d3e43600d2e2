"""`python -m roomlog_local demo`: the same as `roomlog demo`, without the client's command line."""

import sys

from roomlog_local import demo

if __name__ == "__main__":
    if sys.argv[1:2] != ["demo"]:
        sys.exit("usage: python -m roomlog_local demo [--folder FOLDER]")
    sys.exit(demo.main(sys.argv[2:]))
