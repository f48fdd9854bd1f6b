"""Wi-Fi as the board sees it: always there. The bench cuts the way to the broker in its own proxy."""

STA_IF = 0
STAT_GOT_IP = 1010


class WLAN:
    def __init__(self, interface=STA_IF):
        self._on = False

    def active(self, on=None):
        if on is not None:
            self._on = on
        return self._on

    def connect(self, ssid=None, key=None):
        pass

    def isconnected(self):
        return self._on

    def config(self, *_, **__):
        return None

    def status(self, *_):
        return STAT_GOT_IP if self._on else 1000
