"""What axe-core finds wrong with a page as it is shown now, for people who hear it or see it badly.

Beside the message's way. axe-core judges what is rendered: names, roles, contrasts, order. It finds a part of
all barriers; what the keyboard does, and what is announced when, is the tests' own to show.
"""

from pathlib import Path
from typing import Final

from playwright.sync_api import Page

AXE: Final = Path(__file__).parents[1] / "vendor/axe-core/axe.min.js"
_RUN: Final = """async () => {
  const { violations, passes } = await axe.run(document, { resultTypes: ["violations"] });
  if (passes.length === 0) throw new Error("axe-core has looked at nothing");
  return violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) =>
    `${id} at ${target.join(" ")}: ${failureSummary}`));
}"""


def violations(page: Page) -> list[str]:
    """Return what breaks axe-core's rules, all of them: rule, place and what would mend it."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[str] = page.evaluate(_RUN)
    return found
