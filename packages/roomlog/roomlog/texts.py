"""The words of page and element in the language of the request, as `clients/web/texts.js` takes them.

Beside the message's way. English stands in the code; translations are in `locale/`, those of the browser in
gettext's domain `djangojs`. A project adds languages in its own LOCALE_PATHS.
"""

import json
from functools import lru_cache

from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation.trans_real import DjangoTranslation
from django.views.i18n import JavaScriptCatalog

ENGLISH = "en"


def browser_texts() -> str:
    """Return the translations as JSON, by the English text; empty where there are none."""
    language = get_language()
    return _texts(language) if language and settings.USE_I18N else ""


def texts_language() -> str:
    """Return the language that people read on page and element."""
    return (get_language() or ENGLISH) if browser_texts() else ENGLISH


@lru_cache
def _texts(language: str) -> str:
    view = JavaScriptCatalog()
    paths = view.get_paths(["roomlog"])
    view.translation = DjangoTranslation(language, domain=view.domain, localedirs=paths)
    catalog = view.get_catalog()
    return json.dumps(catalog, ensure_ascii=False) if catalog else ""
