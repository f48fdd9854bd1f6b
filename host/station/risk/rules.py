"""Risk rules are data: what is measured over which window, above which value, what follows. Versioned, never edited.

A rule's `metric` names a measure of measures.py; `by` says whose history it looks at (`card` or `staff`).
"""

from dataclasses import asdict, dataclass, fields
from typing import Any

ALERT, HOLD, BLOCK = "alert", "hold", "block"  # tell; put into the review queue; put the card on the list at once
ACTIONS = (ALERT, HOLD, BLOCK)


@dataclass(frozen=True, slots=True)
class Rule:
    """over: the finding is made at a value above it, in the metric's own unit. kinds: card kinds it is for, (): all.
    hours: bits of the local hours it is about. quiet_s: no second finding on the same subject within that time."""

    name: str
    metric: str
    over: int
    window_s: int = 0
    by: str = "card"
    action: str = ALERT
    kinds: tuple[int, ...] = ()
    hours: int = 0
    quiet_s: int = 3600
    on: bool = True


class RuleError(ValueError):
    """A rule that cannot be; the message (Chinese, then English) names the field."""


LONGEST_WINDOW_S = 7 * 86400

# What a station starts with. Reasons beside the figures; a year of a station's own data should move them.
DEFAULTS = (
    Rule("burst_count", "count", 4, 3600, action=HOLD),  # five fills of one card in an hour
    Rule("day_amount", "amount", 300_000, 86_400, kinds=(1, 2)),  # a private card: more than 3,000 yuan in a day
    Rule("tank", "tank_share_percent", 115, 1_800, action=HOLD),  # more than goes into the tank, in half an hour
    Rule("two_pumps", "overlap_s", 0, action=BLOCK),  # one card cannot be in two readers
    Rule("travel", "speed_km_h", 130, 7 * 86_400, action=BLOCK),  # nor fly to the next station
    Rule("off_hours", "count", 0, 1, hours=0b11111, kinds=(4,)),  # a company's card between 0 and 5 o'clock
    Rule("odometer_back", "odometer_back_km", 0, 7 * 86_400),
    Rule("pin_guesses", "pin_failures", 3, 86_400, action=HOLD),
    Rule("refunds_by_staff", "refunds", 6, 8 * 3600, by="staff", action=HOLD),
    Rule("load_then_refund", "refund_after_load_percent", 50, 3600, by="staff", action=HOLD),
)


def parse(data: dict[str, Any]) -> Rule:
    """A rule from JSON. Raises RuleError."""
    from station.risk.measures import MEASURES

    known = {field.name for field in fields(Rule)}
    extra = sorted(set(data) - known)
    if extra:
        raise RuleError(f"未知字段 unknown field: {', '.join(extra)}")
    try:
        rule = Rule(**{**data, "kinds": tuple(data.get("kinds", ()))})
    except TypeError as error:
        raise RuleError(f"规则不完整 incomplete rule: {error}") from None
    for name in ("over", "window_s", "hours", "quiet_s"):
        if type(getattr(rule, name)) is not int or getattr(rule, name) < 0:
            raise RuleError(f"{name} 须为非负整数 must be a whole number, not below nought")
    if rule.metric not in MEASURES:
        raise RuleError(f"metric 未知 unknown: {rule.metric} ({', '.join(sorted(MEASURES))})")
    if rule.action not in ACTIONS or rule.by not in ("card", "staff"):
        raise RuleError("action 或 by 无效 action or by is not valid")
    if rule.window_s > LONGEST_WINDOW_S:
        raise RuleError("window_s 最长 7 天 at most seven days")
    return rule


def to_json(rule: Rule) -> dict[str, Any]:
    return {**asdict(rule), "kinds": list(rule.kinds)}
