"""The page that shows the description of the REST interface: Swagger UI, from this install's own files.

Around people's requests. Public, as the description is; what it sends goes by the visitor's own session or
by a token that they type in. It must load nothing from elsewhere and run nothing inline.
"""

from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.generic import TemplateView


@method_decorator(never_cache, name="dispatch")  # it carries the visitor's CSRF token
class ViewerView(TemplateView):
    """The page; in English, as the description is."""

    template_name = "roomlog_api/viewer.html"
