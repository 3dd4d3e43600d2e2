"""What the API server of the oldest and the newest Kubernetes says to every object, without an API server."""

import pytest
from kubernetes_validate.utils import ValidationError, validate

from tests.chart.render import EACH_WAY, KUBERNETES_VERSIONS, NOTHING, Manifest, render

pytestmark = pytest.mark.usefixtures("helm")

CUSTOM = ("HTTPRoute", "ScaledObject", "PodMonitor", "PrometheusRule")
"""Kinds of others, which Kubernetes' own schemas don't know."""


@pytest.mark.parametrize("version", KUBERNETES_VERSIONS)
@EACH_WAY
def test_every_object_fits_the_schema_of_its_kind(values: Manifest, version: str) -> None:
    """No field is misspelt, misplaced or of the wrong type."""
    checked = 0
    for manifest in render(values, version):
        if manifest["kind"] not in CUSTOM:
            validate(manifest, version, strict=True)
            checked += 1
    assert checked > 15


def test_a_misspelt_field_is_found() -> None:
    """The check above can fail."""
    manifest: Manifest = {**render(NOTHING)[0], "specs": {}}
    with pytest.raises(ValidationError):
        validate(manifest, "1.34", strict=True)
