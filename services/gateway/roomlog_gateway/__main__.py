"""`roomlog-gateway`, or `python -m roomlog_gateway`: the gateway as its image starts it."""

import sys

from gunicorn.app.wsgiapp import run


def main() -> None:
    """Serve until asked to stop; further words are gunicorn's."""
    config = ("--config", "python:roomlog_gateway.gunicorn_config")
    sys.argv = ["roomlog-gateway", *config, *sys.argv[1:], "roomlog_gateway.app:create_app"]
    run()


if __name__ == "__main__":
    main()
