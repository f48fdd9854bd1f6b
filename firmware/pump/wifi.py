"""Joins the Wi-Fi named in identity.json and joins it again when it was lost. Boards on Ethernet have no such entry."""

import asyncio

_LOOK_MS = 5000
_PATIENCE = 4  # looks before a join is tried anew


async def run(ssid, key):
    import network

    station = network.WLAN(network.STA_IF)
    station.active(True)
    looks = 0
    while True:
        if station.isconnected():
            looks = 0
        else:
            if looks % _PATIENCE == 0:
                station.connect(ssid, key)
            looks += 1
        await asyncio.sleep_ms(_LOOK_MS)
