"""What lies on the board's file system: identity, certificate authority, software id."""

import json

import machine

from pump.core.config import Config


def load():
    """(identity as a dict, core Config, CA in DER or None, software id as 16 hex digits).

    ValueError if identity.json is missing or unusable: `make flash` writes it.
    """
    try:
        identity = json.loads(_read("/identity.json"))
        identity["board"] = machine.unique_id().hex()
        parsed = Config(identity)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(str(error))
    try:
        ca = _read("/ca.der")
    except OSError:
        ca = None  # the link says so; the pump sells without it
    software = b"0" * 16
    for name in ("/software", "/rom/software"):  # what runs from a slot brings its own
        try:
            software = _read(name)
        except OSError:
            pass
    return identity, parsed, ca, software.decode()


def _read(name):
    with open(name, "rb") as file:
        return file.read()
