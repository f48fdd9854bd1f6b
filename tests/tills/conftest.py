"""Both databases, as the station's tests have them."""

from tests.station.conftest import backend, engine, postgres_server, secrets, settings

__all__ = ["backend", "engine", "postgres_server", "secrets", "settings"]
