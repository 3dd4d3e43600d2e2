"""Say what an image is made of: a CycloneDX 1.6 document from hashed pins and the modules that it serves."""

import json
import re
import uuid
from collections.abc import Mapping
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


def module(name: str, version: str) -> dict[str, object]:
    """Describe a browser module that is served from the image."""
    address = f"pkg:npm/{name}@{version}"
    return {"type": "library", "bom-ref": address, "name": name, "version": version, "purl": address}


def document(name: str, version: str, pins: str, epoch: int, modules: Mapping[str, str]) -> str:
    """Return the JSON of an image's SBOM; the same pins, modules and time give the same bytes."""
    components = [component(*match) for match in PIN.findall(pins)]
    components += [module(*found) for found in modules.items()]
    serial = uuid.uuid5(uuid.NAMESPACE_URL, f"{name}@{version}\n{pins}{sorted(modules.items())}")
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
