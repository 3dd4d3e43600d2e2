"""What Prometheus scrapes of an install in 25 minutes, as the series of promtool's tests.

For the tests of the alerts only. After five minutes something happens, and the functions here say what.
"""

STEP_SECONDS = 15
SAMPLES, BEGIN = 100, 20
"""Scrapes in all, and the one at which it happens."""
REST = SAMPLES - BEGIN
MINUTES, BEGIN_MINUTES = SAMPLES * STEP_SECONDS // 60, BEGIN * STEP_SECONDS // 60

Series = dict[str, str]
"""What is scraped, by name and labels, in promtool's notation."""

GATEWAYS = ("gateway-5d9c7b6f8-x2k4q", "gateway-5d9c7b6f8-zz9rt")
WORKERS = ("worker-0", "worker-1")
APIS = ("api-7c9f8d6b5-k4m8n",)
CHORES = ("chores-7f6b5c4d8-m8n2p",)
LINKS = ("commands", "notices")
COMMANDS = 30
"""Commands between two scrapes of a gateway; they keep a worker busy for 1.5 of the 15 s."""


def lasting(value: float, samples: int, step: float = 0) -> str:
    """As many scrapes that begin with a value and grow by a step."""
    return f"{value}+{step}x{samples - 1}" if samples > 0 else ""


def steady(value: float, step: float = 0) -> str:
    """The same all the time; a counter with a step."""
    return lasting(value, SAMPLES, step)


def turns(before: float, after: float, samples: int = REST) -> str:
    """Another value when it happens, for some scrapes."""
    return " ".join([lasting(before, BEGIN), lasting(after, samples), lasting(before, REST - samples)])


def counts(before: float, after: float, samples: int = REST) -> str:
    """A counter that grows by another step when it happens, for some scrapes."""
    begin, end = before * BEGIN, before * BEGIN + after * samples
    parts = [lasting(0, BEGIN, before), lasting(begin, samples, after), lasting(end, REST - samples, before)]
    return " ".join(parts)


def ends(values: str, away: int = REST) -> str:
    """The first value until it happens; afterwards nothing, for some scrapes."""
    value = float(values.partition("+")[0])
    return f"{lasting(value, BEGIN)} stale _x{away - 1} {lasting(value, REST - away)}"


def of(name: str, pod: str, release: str = "roomlog", **labels: str) -> str:
    """A series of a pod of a release."""
    pairs = {"namespace": "default", "pod": f"{release}-{pod}", **labels}
    return name + "{" + ", ".join(f'{key}="{value}"' for key, value in pairs.items()) + "}"


def gateway(pod: str, release: str = "roomlog", commands: float = COMMANDS) -> Series:
    """A gateway in health."""
    buckets = {
        of("roomlog_gateway_received_to_written_seconds_bucket", pod, release, le=le): steady(0, commands)
        for le in ("1.0", "10.0", "+Inf")
    }
    links = {of("roomlog_gateway_redis_link_up", pod, release, link=link): steady(1) for link in LINKS}
    rest = {
        of("up", pod, release): steady(1),
        of("roomlog_gateway_silent_shards", pod, release): steady(0),
        of("roomlog_gateway_shut_gates", pod, release): steady(0),
        of("roomlog_gateway_commands_total", pod, release, action="new_message"): steady(0, commands),
        of("roomlog_gateway_commands_expired_total", pod, release): steady(0),
        of("roomlog_gateway_authentication_seconds_count", pod, release, result="accepted"): steady(
            0, commands
        ),
        of("roomlog_gateway_authentication_seconds_count", pod, release, result="rejected"): steady(0),
    }
    return buckets | links | rest


def worker(pod: str, release: str = "roomlog", commands: float = COMMANDS) -> Series:
    """A worker in health, with its half of the shards."""
    half = int(pod[-1])
    shards = {
        of("roomlog_worker_shard_owned", pod, release, shard=f"{shard:02d}"): steady(int(shard % 2 == half))
        for shard in range(64)
    }
    return shards | {
        of("up", pod, release): steady(1),
        of("process_start_time_seconds", pod, release): steady(1000),
        of("roomlog_worker_batch_seconds_sum", pod, release): steady(0, commands / 20),
        of("roomlog_worker_trouble_total", pod, release, dependency="database"): steady(0),
        of("roomlog_worker_trouble_total", pod, release, dependency="redis"): steady(0),
        of("roomlog_worker_dead_letters_total", pod, release): steady(0),
        of("roomlog_worker_stream_oldest_seconds", pod, release, stream="in"): steady(0),
        of("roomlog_worker_turn_age_seconds", pod, release): steady(0.2),
        of("roomlog_worker_redis_used_bytes", pod, release): steady(50),
        of("roomlog_worker_redis_max_bytes", pod, release): steady(100),
    }


def chores(pod: str, release: str = "roomlog") -> Series:
    """The process that does the chores, in health."""
    return {
        of("up", pod, release): steady(1),
        of("roomlog_chores_lease_owned", pod, release): steady(1),
        of("roomlog_chores_failing_rooms", pod, release): steady(0),
        of("roomlog_chores_webhook_oldest_seconds", pod, release): steady(0),
    }


def api(pod: str, release: str = "roomlog") -> Series:
    """An api in health."""
    return {
        of("up", pod, release): steady(1),
        of("roomlog_api_logins_total", pod, release, result="accepted"): steady(0, 10),
        of("roomlog_api_logins_total", pod, release, result="refused"): steady(0, 1),
    }


def health(release: str = "roomlog", commands: float = COMMANDS) -> Series:
    """Everything is well, with so many commands between two scrapes of a gateway."""
    found: Series = {}
    for pod in GATEWAYS:
        found |= gateway(pod, release, commands)
    for pod in WORKERS:
        found |= worker(pod, release, commands)
    for pod in APIS:
        found |= api(pod, release)
    for pod in CHORES:
        found |= chores(pod, release)
    workers = f'{{namespace="default", statefulset="{release}-worker"}}'
    for name in ("kube_statefulset_status_replicas_updated", "kube_statefulset_replicas"):
        found[f"{name}{workers}"] = steady(2)
    return found


def change(series: Series, name: str, values: str, part: str = "") -> Series:
    """Other values of all series of that name, or of those whose labels have this part."""
    named = [key for key in series if key.startswith(f"{name}{{") and part in key]
    assert named, f"no series {name} with {part}"
    return series | dict.fromkeys(named, values)


def without(series: Series, component: str, away: int = REST) -> Series:
    """Nothing is scraped any more of a component's pods, for some scrapes."""
    return {key: ends(v, away) if f'pod="roomlog-{component}' in key else v for key, v in series.items()}


def silent(series: Series, samples: int = REST) -> Series:
    """The gateways hear nothing good of any shard."""
    return change(series, "roomlog_gateway_silent_shards", turns(0, 64, samples))


def expiring(series: Series, step: float = 20, samples: int = REST) -> Series:
    """Commands get no answer."""
    return change(series, "roomlog_gateway_commands_expired_total", counts(0, step, samples))


def troubled(series: Series, dependency: str) -> Series:
    """Workers try again and again."""
    return change(series, "roomlog_worker_trouble_total", counts(0, 20), f'dependency="{dependency}"')


def rollout(replicas: int) -> Series:
    """Each pod gives way to a new one: a worker is away for 45 s, the others overlap."""
    series = {key: v for key, v in health().items() if replicas > 1 or "worker-1" not in key}
    if replicas == 1:
        series = silent(change(series, "roomlog_worker_shard_owned", steady(1)), samples=3)
    else:  # the other worker takes the shards meanwhile, and keeps its half
        series = change(series, "roomlog_worker_shard_owned", steady(1), "worker-1")
    series = without(series, "worker-0", away=3)
    for part in (gateway, api, chores):
        series = without(series, part.__name__)
    for name, pod in (
        (gateway, "gateway-6c8d7f5b4-x2k4q"),
        (api, "api-6c8d7f5b4-k4m8n"),
        (chores, "chores-6c8d7f5b4-m8n2p"),
    ):
        new = name(pod)
        series |= {key: f"_x{BEGIN - 2} {value}" for key, value in new.items()}
    return change(series, "kube_statefulset_status_replicas_updated", turns(2, 1, samples=20))
