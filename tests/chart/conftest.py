"""Lets the chart tests run only where their tools are."""

from tests.harness.tools import helm, promtool, shellcheck

__all__ = ["helm", "promtool", "shellcheck"]
