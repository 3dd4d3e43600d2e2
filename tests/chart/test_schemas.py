"""What the API server of the oldest and the newest Kubernetes says to every object, without an API server."""

import pytest
from kubernetes_validate.utils import ValidationError, validate

from tests.chart.render import CHORES, EACH_WAY, KUBERNETES_VERSIONS, NOTHING, Manifest, render

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


def test_what_an_owner_adds_fits_too() -> None:
    """In each pod that takes it; a misspelt field is found."""
    container = {"name": "more", "image": "example.org/more:1"}
    pod: Manifest = {
        "extraVolumes": [{"name": "ca", "secret": {"secretName": "our-ca"}}],
        "extraVolumeMounts": [{"name": "ca", "mountPath": "/ca"}],
        "podSecurityContext": {"runAsUser": 7},
        "securityContext": {"runAsNonRoot": True},
    }
    job = {**pod, "initContainers": [container]}
    service = {**job, "extraContainers": [container]}
    values = {name: {**CHORES.get(name, {}), **service} for name in ("gateway", "worker", "api", "chores")}
    more: Manifest = {"migrations": job, "test": pod, "commonAnnotations": {"team": "chat"}}
    for manifest in render({**values, **more}):
        validate(manifest, "1.34", strict=True)
    manifest = {**render(NOTHING)[0], "specs": {}}
    with pytest.raises(ValidationError):
        validate(manifest, "1.34", strict=True)
