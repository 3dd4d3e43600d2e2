"""An app that writes what `roomlog chores` tells it into a file. A deadly message kills the process once."""

import json
import os
import signal
from pathlib import Path
from typing import Any, Final

from django.dispatch import receiver

from roomlog.signals import message_missed
from roomlog_contract.events import Message

FILE: Final = "TOLD_FILE"
"""The variable that names the file."""
DEADLY: Final = "deadly"


@receiver(message_missed)
def notify(message: Message, users: list[Any], **_: Any) -> None:
    """Write down what was told; of a deadly message the first call never returns."""
    path = Path(os.environ[FILE])
    is_first = message.text not in path.read_text()
    with path.open("a") as file:
        file.write(json.dumps([message.text, users]) + "\n")
    if message.text == DEADLY and is_first:
        os.kill(os.getpid(), signal.SIGKILL)
