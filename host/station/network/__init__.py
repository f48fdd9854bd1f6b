"""Several stations: the tree of units and who sees which part of it, reports to head office, clearing between stations.

Station numbers stand in card and device numbers; money is fen; times are Unix seconds.
"""

from station.network import tables as tables
from station.network.head import Member, MemberError, join, member_named, take, who
from station.network.head import listing as members
from station.network.member import Exchange, lag, last_contact, step
from station.network.moves import Between, Move, net, pay, statement
from station.network.talk import Answer, Report
from station.network.units import (
    AREA,
    CITY,
    KINDS,
    REGION,
    STATION,
    Unit,
    UnitError,
    add,
    assign,
    scope_of,
    tree,
    with_parents,
)

__all__ = [
    "AREA",
    "CITY",
    "KINDS",
    "REGION",
    "STATION",
    "Answer",
    "Between",
    "Exchange",
    "Member",
    "MemberError",
    "Move",
    "Report",
    "Unit",
    "UnitError",
    "add",
    "assign",
    "join",
    "lag",
    "last_contact",
    "member_named",
    "members",
    "net",
    "pay",
    "scope_of",
    "statement",
    "step",
    "take",
    "tree",
    "who",
    "with_parents",
]
