"""Rules over histories: pure. An event joins its subject's history, every rule measures, what is above is a finding."""

from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from operator import attrgetter

from station.risk.events import Event, Place, Subject
from station.risk.measures import ABOUT, MEASURES
from station.risk.rules import LONGEST_WINDOW_S, Rule

MOST_EVENTS = 64  # kept per subject
_at = attrgetter("at")


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
    """A subject's recent events in order of time, and when each rule held."""

    events: list[Event] = field(default_factory=list)
    held: dict[str, list[int]] = field(default_factory=dict)

    def take(self, event: Event) -> int | None:
        """Adds an event and returns its place; records of pumps come in any order. None: it is there already, or is
        older than all that is remembered."""
        if event in self.events:
            return None
        insort(self.events, event, key=_at)
        newest = self.events[-1].at
        if len(self.events) > MOST_EVENTS or newest - self.events[0].at > LONGEST_WINDOW_S:
            self.events = [e for e in self.events[-MOST_EVENTS:] if newest - e.at <= LONGEST_WINDOW_S]
            if event not in self.events:
                return None
        return self.events.index(event)


def subjects(event: Event) -> Iterator[str]:
    """Whose histories an event belongs to."""
    if event.card_no:
        yield event.card_no
    if event.staff:
        yield f"staff:{event.staff}"


class Judge:
    """The rules in force, ready for many events. zone: of the station, for rules about hours."""

    def __init__(self, rules: Iterable[Rule], places: Mapping[str, Place], zone: tzinfo) -> None:
        self.places, self.zone = places, zone
        self._rules: defaultdict[tuple[str, str], list[Rule]] = defaultdict(list)
        for rule in rules:
            if rule.on:
                self._rules[rule.by, ABOUT[rule.metric]].append(rule)

    def judge(self, event: Event, subject: str, history: History, known: Subject) -> list[Finding]:
        """Takes the event into the history and returns what the rules find, for it and for later events that it puts
        into another light (a record that was long under way). An event seen before finds nothing again."""
        place = history.take(event)
        if place is None:
            return []
        by = "staff" if subject.startswith("staff:") else "card"
        found = []
        for number in range(place, len(history.events)):
            for rule in self._rules.get((by, history.events[number].kind), ()):
                if not rule.kinds or known.card_kind in rule.kinds:
                    one = self._measure(rule, subject, history, number, known)
                    if one is not None:
                        found.append(one)
        return found

    def _measure(self, rule: Rule, subject: str, history: History, number: int, known: Subject) -> Finding | None:
        event = history.events[number]
        if rule.hours and not rule.hours >> datetime.fromtimestamp(event.since or event.at, self.zone).hour & 1:
            return None
        since = event.at - (rule.window_s or LONGEST_WINDOW_S)
        past = history.events[bisect_right(history.events, since, hi=number, key=_at) : number + 1]
        value = MEASURES[rule.metric](past, known, self.places)
        if value <= rule.over:
            return None
        held = [at for at in history.held.get(rule.name, ()) if at > event.at - LONGEST_WINDOW_S]
        if any(abs(event.at - at) < rule.quiet_s for at in held):
            return None
        history.held[rule.name] = [*held, event.at]
        return Finding(rule.name, subject, event.at, event.ref, value, rule.over, rule.action)
