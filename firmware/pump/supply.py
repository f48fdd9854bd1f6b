"""The supply monitor: 24 V through a divider of 1 : 11 into the ADC. Below 18 V one last flash write is possible."""

from machine import ADC, Pin

from pump import pins

_DIVIDER = 11
_FAIL_MV = 18000
_GOOD_MV = 20000


class Supply:
    """ok: False from the moment the supply has fallen below 18 V until it is above 20 V again."""

    def __init__(self):
        self._adc = ADC(Pin(pins.SUPPLY_ADC), atten=ADC.ATTN_11DB)
        self.ok = True

    def read(self):
        mv = self._adc.read_uv() * _DIVIDER // 1000
        self.ok = mv >= (_FAIL_MV if self.ok else _GOOD_MV)
        return self.ok
