"""What an upgrade of the chart changes: nothing that runs, unless its image or its settings change."""

import re
import shutil
from pathlib import Path

import pytest

from tests.chart.render import CHART, EACH_WAY, NOTHING, Manifest, manifests_of, render, run_helm, settled

pytestmark = pytest.mark.usefixtures("helm")

TAGS: Manifest = {
    "gateway": {"image": {"tag": "1"}},
    "worker": {"image": {"tag": "1"}},
    "api": {"image": {"tag": "1"}},
}


def workloads(manifests: list[Manifest]) -> dict[str, Manifest]:
    """What runs or would run, by kind and name: another name is another Job."""
    return {
        f"{manifest['kind']}/{manifest['metadata']['name']}": manifest["spec"]
        for manifest in manifests
        if manifest["kind"] in ("Deployment", "StatefulSet", "Job")
    }


def next_release(folder: Path, values: Manifest, key: str) -> list[Manifest]:
    """The manifests of the same values by a chart with another version or appVersion."""
    chart = folder / "roomlog"
    shutil.copytree(CHART, chart)
    described = (chart / "Chart.yaml").read_text(encoding="utf-8")
    described, changes = re.subn(rf"^{key}: .*$", f'{key}: "7.8.9"', described, flags=re.MULTILINE)
    assert changes == 1
    (chart / "Chart.yaml").write_text(described, encoding="utf-8")
    answer = run_helm("template", values, chart=chart)
    assert answer.returncode == 0, answer.stderr
    return manifests_of(answer.stdout)


@EACH_WAY
def test_labels_and_another_version_of_the_chart_restart_nothing(values: Manifest, tmp_path: Path) -> None:
    """Nobody is disconnected, and no migration runs."""
    bumped = next_release(tmp_path, settled(values), "version")
    assert "roomlog-7.8.9" in {manifest["metadata"]["labels"]["helm.sh/chart"] for manifest in bumped}
    assert workloads(bumped) == workloads(render(settled(values)))
    annotated = render({**settled(values), "commonAnnotations": {"team": "chat"}})
    assert {manifest["metadata"].get("annotations", {}).get("team") for manifest in annotated} == {"chat"}
    assert workloads(annotated) == workloads(render(settled(values)))


def test_another_version_of_the_app_changes_images_alone(tmp_path: Path) -> None:
    """Who has chosen the tags restarts when they change."""
    values = settled(TAGS)
    assert workloads(next_release(tmp_path, values, "appVersion")) == workloads(render(values))


def test_another_image_is_another_pod(tmp_path: Path) -> None:
    """The tests above can fail: without tags of one's own the app's version is the images'."""
    values = settled(NOTHING)
    assert workloads(next_release(tmp_path, values, "appVersion")) != workloads(render(values))
