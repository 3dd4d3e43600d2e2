"""What `make release` builds in seconds: twice the same bytes, complete, and usable from dist/ alone."""

import hashlib
import json
import re
import sys
import tarfile
import venv
from pathlib import Path

import pytest
import yaml

from tests.harness import manage
from tests.harness.tools import need

ROOT = Path(__file__).parents[2]
VERSION = "7.8.9"
SOURCE = "https://example.org/roomlog"
SECONDS = 120
IMAGES = ("gateway", "worker", "api")


def run(*words: str | Path, **environment: str) -> str:
    done = manage.run(words, environment, SECONDS, ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("key") / "release.pem"


def build(dist: Path, key: Path) -> Path:
    run(
        sys.executable,
        "deploy/release/release.py",
        VERSION,
        "--dist",
        dist,
        "--no-images",
        RELEASE_KEY=str(key),
        SOURCE_URL=SOURCE,
    )
    return dist


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory, key: Path) -> Path:
    """Return the folder of one release without images."""
    for tool in ("helm", "npm", "openssl"):
        need(tool)
    return build(tmp_path_factory.mktemp("release") / "dist", key)


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def test_a_second_build_has_the_same_bytes(dist: Path, key: Path, tmp_path: Path) -> None:
    """Wheels, npm package, chart, SBOMs, notes, sums and signatures."""
    assert digests(build(tmp_path / "again", key)) == digests(dist)


def test_every_file_is_in_the_sums_and_signed(dist: Path) -> None:
    """The sums are right, and openssl accepts each signature by the public key."""
    lines = (dist / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    sums = {name: digest for digest, name in (line.split() for line in lines)}
    files = {path.name for path in dist.iterdir() if path.suffix != ".sig"}
    assert set(sums) == files - {"SHA256SUMS"}
    assert {name: digests(dist)[name] for name in sums} == sums
    for name in files:
        words = ("openssl", "pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", dist / "release-key.pub.pem")
        run(*words, "-in", dist / name, "-sigfile", dist / f"{name}.sig")


def test_wheels_run_in_a_new_environment(dist: Path, tmp_path: Path) -> None:
    """Ours come from dist/ alone; what they depend on is what this environment has."""
    venv.create(tmp_path / "new", with_pip=False, symlinks=True)
    python = tmp_path / "new/bin/python"
    wheels = sorted(dist.glob("*.whl"))
    assert len(wheels) == 8
    run(
        ROOT / ".venv/bin/uv",
        "pip",
        "install",
        "--python",
        python,
        "--no-index",
        "--no-deps",
        "--offline",
        *wheels,
    )
    ours = next((tmp_path / "new/lib").glob("python*/site-packages"))
    theirs = next((ROOT / ".venv/lib").glob("python*/site-packages"))
    path = f"{ours}:{theirs}"
    names = (
        "roomlog roomlog_contract roomlog_runtime roomlog_gateway roomlog_worker roomlog_api roomlog_client"
    )
    code = f"import importlib\nfor name in {names.split()}: print(importlib.import_module(name).__file__)"
    homes = run(python, "-P", "-c", code, PYTHONPATH=path).split()
    assert [home for home in homes if not home.startswith(str(ours))] == []
    assert "login" in run(tmp_path / "new/bin/roomlog", "--help", PYTHONPATH=path)
    django = {"DJANGO_SETTINGS_MODULE": "roomlog_api.check_settings", "PYTHONPATH": path}
    assert "no issues" in run(python, "-P", "-m", "django", "check", **django)
    assert (ours / "roomlog/static/roomlog/element.js").is_file()
    assert list(ours.glob("roomlog-*.dist-info/licenses/LICENSE"))


def test_the_npm_package_has_all_modules_and_types(dist: Path) -> None:
    """Each module that another one imports is inside, and what package.json names too."""
    with tarfile.open(dist / f"roomlog-web-{VERSION}.tgz") as packed:
        texts = {m.name: f.read().decode() for m in packed if (f := packed.extractfile(m))}
    package = json.loads(texts["package/package.json"])
    assert package["version"] == VERSION
    named = re.findall(r'"\./([\w.]+)"', json.dumps(package["exports"]))
    imported = [name for text in texts.values() for name in re.findall(r'from "\./([\w./]+)"', text)]
    assert {f"package/{name}" for name in [*named, *imported, "LICENSE", "README.md"]} <= set(texts)


@pytest.mark.parametrize(("module", "name"), [("roomlog", "Roomlog"), ("element", "RoomlogChat")])
def test_types_name_every_public_member(module: str, name: str) -> None:
    """What the class has and the types lack, or the other way round, is a lie to people who use them."""

    def members(path: str) -> set[str]:
        text = (ROOT / "clients/web" / path).read_text(encoding="utf-8")
        body = text[text.index(f"export class {name} ") :].split("\n}\n")[0]
        return set(re.findall(r"^  (?:async |get )?([a-z]\w*)(?=[(:; ]|<)", body, re.MULTILINE)) - {
            "addEventListener",
            "get",
        }

    assert members(f"{module}.js") == members(f"{module}.d.ts")


@pytest.mark.parametrize("image", IMAGES)
def test_an_sbom_holds_each_pin_with_its_hashes(dist: Path, image: str) -> None:
    """Nothing that an image installs or serves is missing, and nothing else is there."""
    pins = (ROOT / f"requirements/{image}.txt").read_text(encoding="utf-8")
    bom = json.loads((dist / f"roomlog-{image}-{VERSION}.cdx.json").read_text(encoding="utf-8"))
    assert bom["metadata"]["component"]["version"] == VERSION
    packages = [part for part in bom["components"] if part["purl"].startswith("pkg:pypi/")]
    assert len(packages) == len(re.findall(r"^\S+==", pins, re.MULTILINE)) > 5
    modules = {part["name"] for part in bom["components"]} - {part["name"] for part in packages}
    assert modules == (set() if image == "gateway" else {"marked", "dompurify", "emojibase-data"})
    told = [found["content"] for part in packages for found in part["hashes"]]
    assert told == re.findall(r"sha256:(\w+)", pins)


def test_the_chart_is_of_this_version(dist: Path) -> None:
    """Helm reads the package; its images are those of the release."""
    chart = run("helm", "show", "chart", dist / f"roomlog-{VERSION}.tgz")
    assert f"version: {VERSION}" in chart
    assert f"appVersion: {VERSION}" in chart
    told = yaml.safe_load(chart)
    images = yaml.safe_load(told["annotations"]["artifacthub.io/images"])
    assert [one["image"] for one in images] == [f"roomlog/{name}:{VERSION}" for name in IMAGES]
    assert all(f"artifacthub.io/{name}" in told["annotations"] for name in ("license", "category", "changes"))
    assert told["sources"] == [told["home"]] == [SOURCE]
    values = ("secretKey.value=" + "k" * 60, "valkey.password=a1b2", "postgresql.password=a1b2")
    sets = [word for value in values for word in ("--set", value)]
    rendered = run("helm", "template", "roomlog", dist / f"roomlog-{VERSION}.tgz", *sets)
    assert {f"roomlog/{name}:{VERSION}" for name in IMAGES} <= set(
        re.findall(r"roomlog/\w+:[\w.]+", rendered)
    )


def test_notes_come_from_the_changelog(dist: Path) -> None:
    """A version without its own section tells what is unreleased."""
    lines = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").splitlines()
    first = next(line for line in lines if line.startswith("- "))
    notes = (dist / "RELEASE-NOTES.md").read_text(encoding="utf-8")
    assert notes.startswith(f"# Roomlog {VERSION}\n")
    assert first in notes
