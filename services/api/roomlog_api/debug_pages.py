"""What Django's debug pages and reports may show of the settings. Beside the message's way."""

import re

from django.views.debug import SafeExceptionReporterFilter


class SettingsFilter(SafeExceptionReporterFilter):
    """Hides addresses too: Redis' holds its password, and Django knows only names like PASSWORD."""

    hidden_settings = re.compile(SafeExceptionReporterFilter.hidden_settings.pattern + "|URL", flags=re.I)
