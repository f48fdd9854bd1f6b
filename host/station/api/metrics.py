"""Figures for Prometheus, read at the moment of asking."""

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from sqlalchemy import Connection

from station import forecourt, sales, wetstock


def metrics_text(conn: Connection, live: forecourt.LiveBoard) -> bytes:
    """The exposition text. Money in fen, volumes in ml."""
    registry = CollectorRegistry()
    invariant = sales.money_invariant(conn)
    plain = {
        "pumpside_sales": ("Sales known", sales.recent_count(conn)),
        "pumpside_quarantine_undecided": (
            "Odd records nobody decided on",
            sales.quarantine_count(conn, undecided_only=True),
        ),
        "pumpside_gaps": ("Pumps with a missing record", len(sales.gaps(conn))),
        "pumpside_money_difference_fen": ("Cards + pending + in flight + sales - paid in", invariant.difference_fen),
        "pumpside_money_in_flight_fen": ("Reserved and not settled", invariant.in_flight_fen),
        "pumpside_cards_waiting": ("Cards that wait for records", len(invariant.waiting)),
        "pumpside_cards_differing": ("Cards that the records cannot explain", len(invariant.differing)),
    }
    for name, (help_text, value) in plain.items():
        Gauge(name, help_text, registry=registry).set(value)
    online = Gauge("pumpside_pump_online", "1 if the pump is heard", ["pump"], registry=registry)
    for name, pump in live.snapshot().items():
        online.labels(name).set(int(pump.online))
    stock = Gauge("pumpside_tank_stock_ml", "Book stock", ["station", "grade"], registry=registry)
    for tank in wetstock.tanks(conn):
        stock.labels(tank.station, str(tank.grade)).set(tank.stock_ml)
    return generate_latest(registry)
