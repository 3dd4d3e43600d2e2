"""`python -m roomlog_client.cli`: the same as `roomlog`, for where no script is installed."""

from .commands import main

if __name__ == "__main__":
    main()
