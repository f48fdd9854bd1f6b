"""Rules over histories: pure. An event joins its subject's history, every rule measures, what is above is a finding."""

from bisect import insort
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo

from station.risk.events import Event, Place, Subject
from station.risk.measures import MEASURES
from station.risk.rules import LONGEST_WINDOW_S, Rule

MOST_EVENTS = 64  # kept per subject


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule held for a subject (card number or `staff:<name>`) at an event; value: what was measured."""

    rule: str
    subject: str
    at: int
    ref: int
    value: int
    over: int
    action: str


@dataclass(slots=True)
class History:
    """A subject's recent events in order of time, and when each rule last held."""

    events: list[Event] = field(default_factory=list)
    held: dict[str, int] = field(default_factory=dict)

    def take(self, event: Event) -> bool:
        """Adds an event in its place; records of pumps come in any order. False: it is there already, or is older
        than all that is remembered."""
        if event in self.events:
            return False
        insort(self.events, event, key=lambda e: e.at)
        newest = self.events[-1].at
        self.events = [e for e in self.events[-MOST_EVENTS:] if newest - e.at <= LONGEST_WINDOW_S]
        return event in self.events


def subjects(event: Event) -> Iterator[str]:
    """Whose histories an event belongs to."""
    if event.card_no:
        yield event.card_no
    if event.staff:
        yield f"staff:{event.staff}"


def judge(
    event: Event,
    subject: str,
    history: History,
    rules: Iterable[Rule],
    known: Subject,
    places: Mapping[str, Place],
    zone: tzinfo,
) -> list[Finding]:
    """Takes the event into the history and returns what the rules find, for it and for later events that it puts into
    another light (a record that was long under way). An event seen before finds nothing again."""
    if not history.take(event):
        return []
    by = "staff" if subject.startswith("staff:") else "card"
    meant = [rule for rule in rules if rule.on and rule.by == by and (not rule.kinds or known.card_kind in rule.kinds)]
    at = history.events.index(event)
    found = []
    for number in range(at, len(history.events)):
        for rule in meant:
            one = _measure(rule, subject, history, number, known, places, zone)
            if one is not None:
                found.append(one)
    return found


def _measure(
    rule: Rule, subject: str, history: History, number: int, known: Subject, places: Mapping[str, Place], zone: tzinfo
) -> Finding | None:
    event = history.events[number]
    if rule.hours and not rule.hours >> datetime.fromtimestamp(event.since or event.at, zone).hour & 1:
        return None
    since = event.at - (rule.window_s or LONGEST_WINDOW_S)
    past = [e for e in history.events[: number + 1] if e.at > since]
    value = MEASURES[rule.metric](past, known, places)
    held_at = history.held.get(rule.name)
    if value <= rule.over or (held_at is not None and abs(event.at - held_at) < rule.quiet_s):
        return None
    history.held[rule.name] = event.at
    return Finding(rule.name, subject, event.at, event.ref, value, rule.over, rule.action)
