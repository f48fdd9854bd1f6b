"""Risk: rules over windows of sales, refusals, loads and refunds; findings, and a review queue with decisions."""

from station.risk.book import Case, case_count, cases, decide, observe, place, rules, set_rule
from station.risk.engine import Finding
from station.risk.events import LOAD, REFUND, REFUSAL, SALE, Event, Place, Subject
from station.risk.rules import ALERT, BLOCK, HOLD, Rule, RuleError, parse, to_json

__all__ = [
    "ALERT",
    "BLOCK",
    "HOLD",
    "LOAD",
    "REFUND",
    "REFUSAL",
    "SALE",
    "Case",
    "Event",
    "Finding",
    "Place",
    "Rule",
    "RuleError",
    "Subject",
    "case_count",
    "cases",
    "decide",
    "observe",
    "parse",
    "place",
    "rules",
    "set_rule",
    "to_json",
]
