"""What a pump is told once, when it is commissioned: the pure half of identity.json."""

import binascii


class Config:
    """From the parsed identity.json (docs/journal.md names the device number). ValueError says what is wrong."""

    def __init__(self, identity):
        self.device = identity["device"]
        self.station_no = self.device >> 8
        self.issuer = identity["issuer"]
        self.slot = identity["mode"] == "slot"
        if not self.slot and identity["mode"] != "tap":
            raise ValueError("mode must be slot or tap")
        self.grades = [n["grade"] for n in identity["nozzles"]]
        self.pulses_per_l = [n["pulses_per_l"] for n in identity["nozzles"]]
        if not 1 <= len(self.grades) <= 4 or min(self.pulses_per_l) < 10 or max(self.pulses_per_l) > 2000:
            raise ValueError("1 to 4 nozzles of 10 to 2000 pulses per litre")
        # Which board and meters these are: 0 if the identity names none (core/recovery.py, _identify).
        serials = [str(one.get("meter", "")) for one in [{"meter": identity.get("board", "")}] + identity["nozzles"]]
        self.meter_id = binascii.crc32(",".join(serials).encode()) if any(serials) else 0
        keys = identity["keys"]
        self.journal_key = _key(keys, "journal", 32)
        self.pump_key = _key(keys, "pump", 16)
        self.issuer_key = _key(keys, "issuer", 16)


def _key(keys, name, size):
    value = binascii.unhexlify(keys[name])
    if len(value) != size:
        raise ValueError("key " + name + " must have " + str(size) + " bytes")
    return value
