"""The application that gunicorn serves."""

import codecs
import os
from typing import Any, Final

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.db.backends.signals import connection_created
from django.http.response import HttpResponseBase
from django.utils.http import parse_header_parameters

from roomlog.databases import end_stuck_statements
from roomlog.signals import login_tried
from roomlog_api.metrics import count_login

UNREADABLE: Final = "application/unreadable"
"""Stands where a Content-Type was that can't be read, or is not in UTF-8: no view reads it."""


class Utf8Request(WSGIRequest):
    """A request in UTF-8.

    Django's own raises before any middleware where a Content-Type can't be read or names a codec for
    something else than text, and decodes even the query by what it names.
    """

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        try:
            kind, parameters = parse_header_parameters(meta.get("CONTENT_TYPE", ""))
            is_readable = codecs.lookup(parameters.get("charset", "utf-8")).name == "utf-8"
        except (ValueError, LookupError):
            is_readable = False
        if not is_readable:
            kind, parameters = UNREADABLE, {}
            meta["CONTENT_TYPE"] = UNREADABLE
        self.content_type, self.content_params = kind, parameters


class Application(WSGIHandler):
    """Django's, with our request, below a prefix whether the proxy takes it from the path or not."""

    request_class = Utf8Request

    def __call__(self, environ: dict[str, Any], start_response: Any) -> HttpResponseBase:
        """Answer a request."""
        prefix, path = settings.FORCE_SCRIPT_NAME or "", environ.get("PATH_INFO", "")
        if prefix and f"{path}/".startswith(f"{prefix}/"):
            environ["PATH_INFO"] = path[len(prefix) :] or "/"
        return super().__call__(environ, start_response)


os.environ.setdefault("DJANGO_SETTINGS_MODULE", "roomlog_api.settings")
django.setup()
connection_created.connect(end_stuck_statements, dispatch_uid="roomlog_api.end_stuck_statements")
login_tried.connect(count_login, dispatch_uid="roomlog_api.count_login")
application = Application()
