"""What lies on the board's file system: identity, certificate authority, software id."""

import json

from pump.core.config import Config


def load():
    """(identity as a dict, core Config, CA in DER or None, software id as 16 hex digits).

    ValueError if identity.json is missing or unusable: `make flash` writes it.
    """
    try:
        identity = json.loads(_read("/identity.json"))
        config = Config(identity)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(str(error))
    try:
        ca = _read("/ca.der")
    except OSError:
        ca = None  # the link says so; the pump sells without it
    try:
        software = _read("/software").decode()
    except OSError:
        software = "0" * 16
    return identity, config, ca, software


def _read(name):
    with open(name, "rb") as file:
        return file.read()
