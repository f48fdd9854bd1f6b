"""Cards: issued, read, loaded, blocked and settled at the desk. What other fields and the faces may use is named here.

Card numbers are 16 digits; money is fen; times are Unix seconds.
"""

from station.cards import tables as tables
from station.cards.authorising import Word, authorise
from station.cards.desk import Contact, Desk, DeskError, TornError
from station.cards.issuing import Order
from station.cards.keys import CardKeys
from station.cards.loading import Load, LoadError, top_up, waiting, yuan
from station.cards.loading import listing as loads_waiting
from station.cards.numbers import parse, shown
from station.cards.on_card import CardView, LogEntry, Reservation
from station.cards.reader import CardInHand, CardLink, DeskReader, ReaderUnavailableError
from station.cards.registry import Card, Event, card, count, counts, events, listing
from station.cards.relay import Answer as RelayAnswer
from station.cards.relay import Relays
from station.cards.rules import Rules
from station.cards.watch import COUNTER_TWICE, DIFFERS, WAITING, WAITING_MAX_S, Finding, alarms, findings, watch

__all__ = [
    "COUNTER_TWICE",
    "DIFFERS",
    "WAITING",
    "WAITING_MAX_S",
    "Card",
    "CardInHand",
    "CardKeys",
    "CardLink",
    "CardView",
    "Contact",
    "Desk",
    "DeskError",
    "DeskReader",
    "Event",
    "Finding",
    "Load",
    "LoadError",
    "LogEntry",
    "Order",
    "ReaderUnavailableError",
    "RelayAnswer",
    "Relays",
    "Reservation",
    "Rules",
    "TornError",
    "Word",
    "alarms",
    "authorise",
    "card",
    "count",
    "counts",
    "events",
    "findings",
    "listing",
    "loads_waiting",
    "parse",
    "shown",
    "top_up",
    "waiting",
    "watch",
    "yuan",
]
