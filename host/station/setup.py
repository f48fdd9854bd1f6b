"""What a station needs before its processes run: database, pumps, tanks, the first tariff. Safe to repeat."""

from sqlalchemy import Engine

from station import cards, forecourt, wetstock
from station.platform import clock, database
from station.platform.secrets import Secrets
from station.platform.settings import Settings


def prepare(settings: Settings, now: int | None = None) -> Engine:
    """Opens and migrates the database and brings pumps and tanks to the settings. Raises DatabaseError."""
    at = clock.now() if now is None else now
    engine = database.open_database(settings)
    with database.write(engine) as conn:
        forecourt.register_pumps(conn, settings.station, settings.station_no, settings.pumps)
        for tank in settings.tanks:
            wetstock.open_tank(conn, settings.station, tank.grade, tank.capacity_ml, tank.opening_ml, tank.low_ml, at)
        if not forecourt.tariffs(conn, limit=1):
            forecourt.set_tariff(conn, settings.prices, at, "setup", at)
        cards.seal_customers(conn, lambda: Secrets.load(settings.secrets_path), at)
    return engine
