"""A company loads the purse cards of its vehicles from its own money (C11, central top-up)."""

from sqlalchemy import Connection

from station import cards
from station.cards import Load
from station.fleets import units, vehicles
from station.fleets.units import FleetError
from station.platform import audit


def load_card(conn: Connection, account: int, card_no: str, amount_fen: int, by: str, now: int) -> Load:
    """Money of a unit for a purse card of its company: on the card at its next contact with a pump or the desk.

    Call in a writer's transaction, with a key of its own (platform.once). FleetError, cards.LoadError.
    """
    unit = units.unit(conn, account)
    company = units.line_of(conn, account)[-1]
    card = cards.card(conn, card_no)
    vehicle = vehicles.vehicle_of(conn, card_no)
    theirs = vehicle is not None and units.line_of(conn, vehicle.unit)[-1] == company
    if card is None or not (theirs or (card.company and units.line_of(conn, card.company)[-1] == company)):
        raise FleetError("该卡不属于本单位 the card is none of this company's")
    if not 0 < amount_fen <= unit.money.available_fen:
        raise FleetError(
            f"最多可充 {cards.yuan(unit.money.available_fen)} 元 "
            f"between 0.01 and {cards.yuan(unit.money.available_fen)} yuan can be loaded"
        )
    load = cards.top_up(conn, card.card_no, amount_fen, f"account:{account}", now)
    audit.record(conn, now, by, "fleet.load", f"account {account}", {}, {"card": card_no, "amount_fen": amount_fen})
    return load
