"""The databases of the station's tests, and a company with two departments and a vehicle each."""

from tests.station.conftest import backend, engine, postgres_server, secrets, settings

__all__ = ["backend", "engine", "postgres_server", "secrets", "settings"]
