"""Where the gateway is not as strict as RFC 6455 would like, case by case of the Autobahn suite.

Beside the message's way. The proof fails for every other case that is not OK; none of these is a failure in
the suite's own words (NON-STRICT).
"""

from collections.abc import Sequence

from tests.abuse.rfc6455.suite import Verdict

GOOD = frozenset({"OK", "INFORMATIONAL", "UNIMPLEMENTED"})
"""INFORMATIONAL: the RFC leaves it open. UNIMPLEMENTED: compression, which is not offered."""
UTF8_AT_THE_END = (
    "text is checked when its message is whole, not piece by piece: it is refused with 1007 all the same, at"
    " most 64 KiB later"
)
DEVIATIONS = {
    **dict.fromkeys(("6.4.1", "6.4.2", "6.4.3", "6.4.4"), UTF8_AT_THE_END),
}


def judge(verdicts: Sequence[Verdict]) -> tuple[list[str], list[str]]:
    """Return the cases that fail the proof, and the named deviations that were seen."""
    failed, deviating = [], []
    for verdict in verdicts:
        if verdict.behavior in GOOD and verdict.close in GOOD:
            continue
        is_known = verdict.behavior == "NON-STRICT" and verdict.close in GOOD
        if is_known and verdict.case in DEVIATIONS:
            deviating.append(verdict.case)
        else:
            failed.append(f"case {verdict.case}: {verdict.behavior}, close {verdict.close}")
    return failed, _by_reason(deviating)


def _by_reason(cases: Sequence[str]) -> list[str]:
    reasons: dict[str, list[str]] = {}
    for case in cases:
        reasons.setdefault(DEVIATIONS[case], []).append(case)
    return [f"cases {', '.join(named)}: {reason}" for reason, named in reasons.items()]
