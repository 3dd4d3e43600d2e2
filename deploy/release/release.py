"""Build a release of the last commit: wheels, npm package, chart, images, SBOMs, notes, sums and signatures.

Usage: release.py VERSION [--dist FOLDER] [--no-images]     Settings: RELEASE_KEY, SOURCE_URL, PYTHON_IMAGE
"""

import argparse
import gzip
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import sbom

ROOT = Path(__file__).resolve().parents[2]
WHEELS = (
    "packages/contract",
    "packages/runtime",
    "packages/roomlog",
    "services/gateway",
    "services/worker",
    "services/api",
    "clients/python",
    "deploy/local",
)
IMAGES = ("gateway", "worker", "api")
WRITTEN = "0.1.0"  # the version in the sources, which a release replaces


def run(*words: str | Path, cwd: Path = ROOT, **environment: str) -> str:
    """Run a command, stop the release if it fails, and return what it printed."""
    done = subprocess.run(
        words, cwd=cwd, env=os.environ | environment, stdout=subprocess.PIPE, text=True, check=True
    )
    return done.stdout.strip()


def export(tree: Path, version: str) -> None:
    """Write the last commit's files into `tree`, with the release's version and a licence in each part."""
    archive = subprocess.run(
        ["git", "archive", "--format=tar", "HEAD"], cwd=ROOT, capture_output=True, check=True
    )
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        files.extractall(tree, filter="tar")
    for part in [*WHEELS, "clients/web", "deploy/helm/roomlog"]:
        shutil.copy2(tree / "LICENSE", tree / part)
    for path in [tree / part / "pyproject.toml" for part in WHEELS]:
        text = path.read_text(encoding="utf-8").replace(f'version = "{WRITTEN}"', f'version = "{version}"')
        text = re.sub(r'"(roomlog[a-z-]*)(==[^"]*)?"(?=,\n)', rf'"\1=={version}"', text)
        path.write_text(text, encoding="utf-8")
    package = tree / "clients/web/package.json"
    text = package.read_text(encoding="utf-8").replace(f'"version": "{WRITTEN}"', f'"version": "{version}"')
    package.write_text(text, encoding="utf-8")


def build_wheels(tree: Path, dist: Path, epoch: str) -> None:
    """Build a wheel of each Python part and let twine check them all."""
    for part in WHEELS:
        words = (sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", dist)
        run(*words, cwd=tree / part, SOURCE_DATE_EPOCH=epoch)
    run(sys.executable, "-m", "twine", "check", "--strict", *sorted(dist.glob("*.whl")))


def build_chart(tree: Path, dist: Path, version: str, epoch: str) -> None:
    """Let helm package the chart; then sort it and set its times, which helm takes from the clock."""
    chart = tree / "deploy/helm/roomlog"
    with (chart / "Chart.yaml").open("a", encoding="utf-8") as file:  # it ends with the annotations
        file.write("  artifacthub.io/images: |\n")
        file.writelines(f"    - name: {name}\n      image: roomlog/{name}:{version}\n" for name in IMAGES)
        if source := os.environ.get("SOURCE_URL"):
            file.write(f"home: {source}\nsources: [{source}]\n")
    run("helm", "package", chart, "--version", version, "--app-version", version, "--destination", dist)
    path = dist / f"roomlog-{version}.tgz"
    with tarfile.open(path) as packed:
        contents = sorted((m.name, f.read()) for m in packed if (f := packed.extractfile(m)))
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name, content in contents:
            member = tarfile.TarInfo(name)
            member.size, member.mtime, member.mode = len(content), int(epoch), 0o644
            tar.addfile(member, io.BytesIO(content))
    path.write_bytes(gzip.compress(plain.getvalue(), mtime=int(epoch)))


def build_images(tree: Path, dist: Path, version: str, revision: str) -> None:
    """Build the three images from the exported tree, save them and list their digests."""
    run(tree / "deploy/images", *IMAGES, cwd=tree, IMAGE_TAG=version, IMAGE_REVISION=revision)
    digests = []
    for name in IMAGES:
        image = f"roomlog/{name}:{version}"
        run("docker", "save", "--output", dist / f"roomlog-{name}-{version}.docker.tar", image)
        digests.append(f"{image} {run('docker', 'image', 'inspect', '--format', '{{.Id}}', image)}\n")
    (dist / "image-digests.txt").write_text("".join(digests), encoding="utf-8")


def notes(changelog: str, version: str) -> str:
    """Return the changelog's section of this version; without one, what is unreleased."""
    sections = dict(re.findall(r"^## (\S+).*?\n(.*?)(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL))
    return f"# Roomlog {version}\n\n{sections.get(version, sections.get('Unreleased', '')).strip()}\n"


def sign(dist: Path) -> None:
    """Write SHA256SUMS, and beside each file its ed25519 signature by the local key, made on first use."""
    key = Path(os.environ.get("RELEASE_KEY") or Path.home() / ".config/roomlog/release-key.pem").resolve()
    if key.is_relative_to(dist):
        raise SystemExit("RELEASE_KEY must not be in the folder that is published")
    if not key.exists():
        key.parent.mkdir(parents=True, exist_ok=True)
        run("openssl", "genpkey", "-algorithm", "ed25519", "-out", key)
        key.chmod(0o600)
    run("openssl", "pkey", "-in", key, "-pubout", "-out", dist / "release-key.pub.pem")
    files = sorted(dist.iterdir())
    sums = [f"{hashlib.file_digest(path.open('rb'), 'sha256').hexdigest()}  {path.name}\n" for path in files]
    (dist / "SHA256SUMS").write_text("".join(sums), encoding="utf-8")
    for path in [*files, dist / "SHA256SUMS"]:
        words = ("openssl", "pkeyutl", "-sign", "-rawin", "-inkey", key, "-in", path)
        run(*words, "-out", path.with_name(f"{path.name}.sig"))


def release(version: str, dist: Path, with_images: bool) -> None:
    """Build everything into an empty `dist`."""
    if not re.fullmatch(r"\d+\.\d+\.\d+", version):
        raise SystemExit(f"VERSION must be like 1.2.3, not {version!r}")
    if run("git", "status", "--porcelain", "--untracked-files=no"):
        print("Uncommitted changes are not in it: a release is the last commit.", file=sys.stderr)
    revision, epoch = run("git", "log", "-1", "--format=%H %ct").split()
    shutil.rmtree(dist, ignore_errors=True)
    dist.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        export(tree, version)
        build_wheels(tree, dist, epoch)
        run(
            "npm",
            "pack",
            "--silent",
            "--ignore-scripts",
            "--pack-destination",
            dist,
            cwd=tree / "clients/web",
        )
        build_chart(tree, dist, version, epoch)
        served = json.loads((tree / "clients/web/vendor/package.json").read_text(encoding="utf-8"))
        for name in IMAGES:
            pins = (tree / f"requirements/{name}.txt").read_text(encoding="utf-8")
            modules = {} if name == "gateway" else served["dependencies"]  # it has nothing of the page
            document = sbom.document(f"roomlog-{name}", version, pins, int(epoch), modules)
            (dist / f"roomlog-{name}-{version}.cdx.json").write_text(document, encoding="utf-8")
        text = notes((tree / "CHANGELOG.md").read_text(encoding="utf-8"), version)
        (dist / "RELEASE-NOTES.md").write_text(text, encoding="utf-8")
        if with_images:
            build_images(tree, dist, version, revision)
    sign(dist)
    for path in sorted(dist.iterdir()):
        print(f"{path.stat().st_size:>12,}  {path.name}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Build a release of the last commit.")
    parser.add_argument("version")
    parser.add_argument("--dist", type=Path, default=ROOT / "dist")
    parser.add_argument("--no-images", action="store_true")
    given = parser.parse_args()
    release(given.version, given.dist.resolve(), not given.no_images)
