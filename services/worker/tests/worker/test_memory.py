"""What a worker may hold at worst is bounded by the limits that the code enforces, and can be asked."""

from io import StringIO

from django.core.management import call_command

from roomlog_contract import limits
from roomlog_runtime.memory import total
from roomlog_worker.management.commands.memory_bounds import Command
from roomlog_worker.memory import worst_case


def test_a_full_batch_of_the_largest_commands_is_within_the_bound() -> None:
    """And printed."""
    assert total(worst_case()) > 2 * limits.STREAM_BATCH * limits.FRAME_BYTES
    out = StringIO()
    call_command(Command(), stdout=out)
    assert "worst-case memory of a worker" in out.getvalue()
    assert "sum" in out.getvalue()
