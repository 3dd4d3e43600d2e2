"""How many examples the properties of the contract try: few on each change, 20,000 in a long run.

`pytest --hypothesis-profile=long packages/contract` is the long run.
"""

import os

from hypothesis import settings

settings.register_profile("change", max_examples=300, deadline=None)
settings.register_profile("long", max_examples=20_000, deadline=None)
if "ROOMLOG_EXAMPLES" not in os.environ:  # else tests/proof/examples.py says how many
    settings.load_profile("change")
