"""Cards: issued, read, loaded, blocked and settled at the desk. What other fields and the faces may use is named here.

Card numbers are 16 digits; money is fen; times are Unix seconds.
"""

from station.cards import tables as tables
from station.cards.at_reader import DeskError, TornError
from station.cards.contact import Contact
from station.cards.customers import Customer, customer
from station.cards.customers import seal_open_ones as seal_customers
from station.cards.desk import Desk
from station.cards.guests import News, home_of, last_event, learn, news_since, told
from station.cards.incentives import Earned
from station.cards.incentives import report as incentive_report
from station.cards.issuing import ALL_GRADES, PLATE_BYTES, Order
from station.cards.keys import CardKeys
from station.cards.loading import PAYMENT, Load, LoadError, give_back, top_up, top_up_refusal, waiting, yuan
from station.cards.loading import listing as loads_waiting
from station.cards.numbers import parse, shown
from station.cards.on_card import CardView, LogEntry, Reservation
from station.cards.reader import CardInHand, CardLink, DeskReader, ReaderUnavailableError
from station.cards.readers import Progress, Readers
from station.cards.readers import shared as shared_readers
from station.cards.refunding import Quote, Refund, register_payback
from station.cards.refunding import quote as refundable
from station.cards.registry import LOST, Card, Event, block, by_uid, card, count, counts, events, listing, unblock
from station.cards.relay import Answer as RelayAnswer
from station.cards.relay import Relays
from station.cards.replacing import Wait
from station.cards.replacing import waits as replacement_waits
from station.cards.review import VERDICTS, review
from station.cards.rules import Rules, RulesError
from station.cards.second import Second, SecondNeededError, cleared
from station.cards.statistics import (
    Float,
    Line,
    Movement,
    disagreeing,
    float_by_day,
    float_by_kind,
    float_now,
    history,
    history_agrees,
    movements,
)
from station.cards.watch import COUNTER_TWICE, DIFFERS, RISK, WAITING, WAITING_MAX_S, Finding, alarms, findings, watch

__all__ = [
    "told",
    "news_since",
    "learn",
    "last_event",
    "home_of",
    "News",
    "COUNTER_TWICE",
    "DIFFERS",
    "PAYMENT",
    "RISK",
    "WAITING",
    "WAITING_MAX_S",
    "VERDICTS",
    "Card",
    "unblock",
    "block",
    "shared_readers",
    "replacement_waits",
    "Wait",
    "LOST",
    "ALL_GRADES",
    "incentive_report",
    "Earned",
    "movements",
    "history_agrees",
    "history",
    "float_now",
    "float_by_kind",
    "float_by_day",
    "disagreeing",
    "Movement",
    "Line",
    "Float",
    "Readers",
    "Progress",
    "SecondNeededError",
    "Second",
    "seal_customers",
    "register_payback",
    "refundable",
    "give_back",
    "customer",
    "Refund",
    "Quote",
    "Customer",
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
    "PLATE_BYTES",
    "Order",
    "ReaderUnavailableError",
    "RelayAnswer",
    "Relays",
    "Reservation",
    "Rules",
    "RulesError",
    "TornError",
    "alarms",
    "by_uid",
    "card",
    "cleared",
    "count",
    "counts",
    "events",
    "findings",
    "listing",
    "loads_waiting",
    "parse",
    "review",
    "shown",
    "top_up",
    "top_up_refusal",
    "waiting",
    "watch",
    "yuan",
]
