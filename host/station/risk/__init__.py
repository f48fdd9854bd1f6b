"""Risk: rules over windows of sales, refusals, loads and refunds; findings, and a review queue with decisions."""

from station.risk.book import loaded, observe, refunded
from station.risk.engine import Finding
from station.risk.events import LOAD, REFUND, REFUSAL, SALE, Event, Place, Subject
from station.risk.known import place, tanks, vehicle
from station.risk.review import (
    Case,
    HeldError,
    blocking,
    case,
    case_count,
    cases,
    decide,
    held,
    refuse_held,
    staff_subject,
)
from station.risk.rulebook import RuleVersion, rule_versions, rules, set_rule
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
    "HeldError",
    "Place",
    "Rule",
    "RuleError",
    "RuleVersion",
    "Subject",
    "blocking",
    "case",
    "case_count",
    "cases",
    "decide",
    "held",
    "loaded",
    "observe",
    "parse",
    "place",
    "refunded",
    "refuse_held",
    "rule_versions",
    "rules",
    "set_rule",
    "tanks",
    "staff_subject",
    "to_json",
    "vehicle",
]
