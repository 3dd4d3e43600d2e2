"""Say what an image is made of: a CycloneDX 1.6 document from its hashed pins."""

import json
import re
import uuid
from datetime import UTC, datetime

PIN = re.compile(
    r"^([\w.-]+)(?:\[[^\]]*\])?==([^\s;\\]+)(?: ; ([^\\\n]*?))?((?: *\\\n +--hash=sha256:[0-9a-f]{64})+)",
    re.M,
)


def component(name: str, version: str, marker: str, hashes: str) -> dict[str, object]:
    """Describe one pin: its package URL, the hashes of its files, and where it applies, if not everywhere."""
    address = f"pkg:pypi/{name}@{version}"
    found: dict[str, object] = {
        "type": "library",
        "bom-ref": address,
        "name": name,
        "version": version,
        "purl": address,
    }
    found["hashes"] = [{"alg": "SHA-256", "content": value} for value in re.findall(r"sha256:(\w+)", hashes)]
    if marker:
        found["properties"] = [{"name": "roomlog:marker", "value": marker}]
    return found


def document(name: str, version: str, pins: str, epoch: int) -> str:
    """Return the JSON of an image's SBOM; the same pins and time give the same bytes."""
    components = [component(*match) for match in PIN.findall(pins)]
    serial = uuid.uuid5(uuid.NAMESPACE_URL, f"{name}@{version}\n{pins}")
    top = {"type": "container", "bom-ref": name, "name": name, "version": version}
    top["licenses"] = [{"license": {"id": "Apache-2.0"}}]  # type: ignore[assignment]
    made = datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    bom = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {"timestamp": made, "component": top},
        "components": components,
        "dependencies": [{"ref": name, "dependsOn": [str(found["bom-ref"]) for found in components]}],
    }
    return json.dumps(bom, indent=1) + "\n"
