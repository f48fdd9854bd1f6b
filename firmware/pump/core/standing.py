"""What the station lays down in force: a tariff, settings. An overlay: needed when a message comes or a price changes.

ctl is the Controller; ctl.coming holds the tariffs planned, (version, effective, prices), the next one first.
"""

from pump.core import records, settings

LEAST_PRICE_FEN, MOST_PRICE_FEN = 1, 99999
MOST_COMING = 5  # tariffs planned


def set_tariff(ctl, version, effective, prices):
    """See linkside.LinkSide.set_tariff."""
    for price in prices.values():
        if type(price) is not int or not LEAST_PRICE_FEN <= price <= MOST_PRICE_FEN:
            return False
    if version <= ctl.tariff or not prices:
        return False
    for known in ctl.coming:
        if known[0] == version or known[0] > version and known[1] <= effective:
            return False
    coming = [one for one in ctl.coming if one[0] > version or one[1] < effective]
    coming.append((version, effective, prices))
    ctl.coming = sorted(coming, key=lambda one: one[1])[:MOST_COMING]
    return True


def newest_tariff(ctl):
    """The highest version known, in force or planned."""
    return max([ctl.tariff] + [one[0] for one in ctl.coming])


def change_prices(ctl):
    """Puts the next tariff in force."""
    version, effective, prices = ctl.coming[0]
    for nozzle in range(len(ctl.config.grades)):
        grade = ctl.config.grades[nozzle]
        old, new = ctl.prices.get(grade, 0), prices.get(grade, 0)
        if old != new:
            ctl.append(records.PRICE, (version, nozzle, grade, old, new, effective & 0xFFFFFFFF))
    ctl.tariff, ctl.prices = version, prices
    ctl.coming = [one for one in ctl.coming if one[0] > version]


def set_settings(ctl, version, values):
    """See linkside.LinkSide.set_settings."""
    if version <= ctl.settings.version:
        return "version does not rise"
    why = settings.refuse(values)
    if not why:
        ctl.settings.version = version
        for name in values:
            old = getattr(ctl.settings, name)
            if old != values[name]:
                ctl.append(records.SETTING, (version, name.encode(), old, values[name]))
                setattr(ctl.settings, name, values[name])
    return why
