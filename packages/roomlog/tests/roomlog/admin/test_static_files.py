"""The admin's files under hashed names, as `ManifestStaticFilesStorage` collects them."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

MANIFEST = "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
PAGES = ("", "roomlog/chatroom/", "roomlog/chatroom/add/", "roomlog/roomevent/?of_room=0", "roomlog/person/")


@pytest.mark.django_db
def test_every_file_of_the_admin_is_collected(admin_client: Client, settings: Any, tmp_path: Path) -> None:
    """No page asks for a file that is not there, and each is asked for by its hashed name."""
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": MANIFEST}}
    settings.STATIC_ROOT = str(tmp_path)
    call_command("collectstatic", verbosity=0, interactive=False)
    for path in PAGES:
        page = admin_client.get(f"/admin/{path}")
        assert page.status_code == 200
        names = re.findall(r'"/static/([^"?#]+)', page.content.decode())
        assert names
        for name in names:
            assert re.search(r"\.[0-9a-f]{12}\.\w+$", name), name
            assert (tmp_path / name).exists(), name
