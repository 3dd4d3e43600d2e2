"""Django's settings for the workers: the models and the database, nothing that serves people."""

from roomlog.databases import REPLICA, database, with_replica
from roomlog_contract import limits
from roomlog_contract.keyspace import DEFAULT_PREFIX
from roomlog_contract.shards import SHARD_NUMBERS
from roomlog_runtime.logs import stdlib_config
from roomlog_runtime.redis_address import read_redis_url
from roomlog_runtime.redis_prefix import read_redis_prefix
from roomlog_runtime.settings import end_with_a_sentence, read_integer, read_secret, read_secrets
from roomlog_runtime.shards_setting import read_shards

end_with_a_sentence()


def _retention_days() -> int | None:
    """Return None for 0: for ever."""
    if read_integer("ROOMLOG_RETENTION_DAYS", 0) == 0:
        return None
    return read_integer("ROOMLOG_RETENTION_DAYS", minimum=limits.REPEAT_DAYS)


SECRET_KEY = read_secret("ROOMLOG_SECRET_KEY")
SECRET_KEY_FALLBACKS = read_secrets("ROOMLOG_SECRET_KEY_FALLBACKS")
REPLICA_URL = read_secret("ROOMLOG_REPLICA_URL", "")
DATABASES = with_replica(database(read_secret("ROOMLOG_DATABASE_URL"), writer=True), REPLICA_URL)
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "rest_framework.authtoken",
    "roomlog",
    "roomlog_worker",
]
ROOMLOG = {
    "REDIS_URL": read_redis_url(),
    "REDIS_PREFIX": read_redis_prefix(DEFAULT_PREFIX),
    "SHARDS": read_shards(SHARD_NUMBERS),
    "EDIT_WINDOW_SECONDS": read_integer("ROOMLOG_EDIT_WINDOW_SECONDS", 0) or None,
    "RETENTION_DAYS": _retention_days(),
    "READ_REPLICA": REPLICA if REPLICA_URL else None,
    "ROOMS_PER_USER": read_integer("ROOMLOG_ROOMS_PER_USER", limits.ROOMS_PER_USER, minimum=1),
    "ROOM_CREATIONS_PER_MINUTE": read_integer(
        "ROOMLOG_ROOM_CREATIONS_PER_MINUTE", limits.ROOM_CREATIONS_PER_MINUTE, minimum=1
    ),
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
LOGGING_CONFIG = None
LOGGING = stdlib_config("worker")
