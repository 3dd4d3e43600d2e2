"""What a run consists of: our own Valkey and SQLite, or those that the environment names."""

from pathlib import Path

import pytest

from roomlog_local import plan as plan_module
from roomlog_local import ports
from roomlog_local.folder import Folder
from roomlog_local.plan import Plan, make_plan
from roomlog_local.project import example

PATH = {"PATH": "/usr/bin"}


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A folder; the plan only names paths in it."""
    return Folder(tmp_path)


def names(plan: Plan) -> list[list[str]]:
    """The names of the processes, stage by stage."""
    return [[command.name for command in stage] for stage in plan.stages]


def binds_of(plan: Plan) -> list[str]:
    """Where its processes listen."""
    commands = [command for stage in plan.stages for command in stage]
    return [bind for command in commands for name, bind in command.environ.items() if name.endswith("BIND")]


def test_a_bare_machine_gets_everything(folder: Folder) -> None:
    """And its page may open the WebSocket."""
    plan = make_plan(folder, PATH)
    assert names(plan) == [["valkey"], ["worker-0", "worker-1", "chores"], ["gateway", "api"]]
    assert plan.environ["ROOMLOG_ATTACHMENTS_FOLDER"] == str(folder.path / "files")
    assert plan.environ["ROOMLOG_DATABASE_URL"] == f"sqlite:///{folder.database}"
    assert plan.migrates_sqlite
    plan = make_plan(folder, PATH)
    port = plan.page.rstrip("/").rsplit(":", 1)[1]
    assert plan.environ["ROOMLOG_ALLOWED_ORIGINS"].split(",") == [
        f"http://127.0.0.1:{port}",
        f"http://localhost:{port}",
    ]
    assert plan.environ["ROOMLOG_WEBSOCKET_URL"] == plan.websocket


def test_named_servers_are_used_instead_of_our_own(folder: Folder) -> None:
    """A secret key of the environment is kept."""
    plan = make_plan(
        folder, {**PATH, "ROOMLOG_REDIS_URL": "redis://r", "ROOMLOG_DATABASE_URL_FILE": "/run/url"}
    )
    assert names(plan)[0] == []
    assert not {"ROOMLOG_REDIS_URL", "ROOMLOG_DATABASE_URL"} & plan.environ.keys()
    assert not plan.migrates_sqlite
    assert "ROOMLOG_SECRET_KEY_FILE" in make_plan(folder, PATH).environ
    assert "ROOMLOG_SECRET_KEY_FILE" not in make_plan(folder, {**PATH, "ROOMLOG_SECRET_KEY": "k"}).environ


def test_every_process_listens_on_loopback_only(folder: Folder) -> None:
    """On ports of its own that stay from run to run."""
    assert all(bind.startswith("127.0.0.1:") for bind in binds_of(make_plan(folder, PATH)))
    binds = binds_of(make_plan(folder, PATH))
    assert len(binds) == len(set(binds)) == 7
    assert addresses(make_plan(folder, PATH)) == addresses(make_plan(folder, PATH))


def addresses(plan: Plan) -> list[str]:
    """Every address of a plan: pages, sockets, probes, Redis."""
    binds = [bind for stage in plan.stages for command in stage for bind in command.environ.values()]
    return [plan.page, plan.websocket, plan.environ["ROOMLOG_REDIS_URL"], *binds]


def test_a_taken_port_is_told(folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody's own project takes the place of ours."""
    plan = make_plan(folder, PATH, example(tmp_path / "host", folder))
    assert names(plan) == [["valkey"], ["worker-0", "worker-1", "chores"], ["gateway", "shop"]]
    backs, (gateway, shop) = plan.stages[1:]
    assert all("shop.settings" in back.arguments for back in backs)
    assert {one.environ["ROOMLOG_REDIS_PREFIX"] for one in (*backs, gateway, shop)} == {"shop"}
    assert shop.environ["DATABASE_URL"] == f"sqlite:///{folder.database}"
    assert shop.environ["PYTHONPATH"] == str(tmp_path / "host")
    assert plan.api == f"{plan.page}chat/api/v1/"
    assert not plan.migrates_sqlite, "its migrations are not ours to remember"
    monkeypatch.setattr(ports, "_is_free", lambda port: port != plan_module.PAGE_PORT)
    plan = make_plan(folder, PATH)
    assert plan.page == "http://127.0.0.1:8100/"
    assert plan.moved == (
        "Port 8000 is taken by another program. The chat page is on port 8100 until it is free again.",
    )
