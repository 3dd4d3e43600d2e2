"""How many examples each property tries in a proof: a plug-in of pytest for tier 0.

ROOMLOG_EXAMPLES holds the number; where it is set, projects with a profile of their own do not load that one.
"""

import os
from typing import Final

from hypothesis import settings

VARIABLE: Final = "ROOMLOG_EXAMPLES"
PROFILE: Final = "proof"

settings.register_profile(PROFILE, max_examples=int(os.environ.get(VARIABLE, "100")), deadline=None)
settings.load_profile(PROFILE)
