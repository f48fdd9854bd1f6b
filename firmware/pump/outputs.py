"""The relays: permit, motor, two valve stages, and the select relay that leads them to one nozzle."""

from machine import Pin

from pump import pins


class Relays:
    """Off when made; `apply` sets what the core wants, `close` shuts the valves at once from anywhere."""

    def __init__(self):
        self._select = [Pin(gpio, Pin.OUT, value=0) for gpio in pins.SELECT]
        self._stages = [Pin(gpio, Pin.OUT, value=0) for gpio in (pins.VALVE_BIG, pins.VALVE_SMALL)]
        self._motor = Pin(pins.MOTOR, Pin.OUT, value=0)
        self._permit = Pin(pins.PERMIT, Pin.OUT, value=0)
        self._set = (0, 0, 0, 0)  # select mask, stage mask, motor, permit

    def apply(self, outputs):
        """From the core's outputs. Two nozzles at once cannot be wired and mean a fault: everything stays off."""
        select = outputs.big | outputs.small | outputs.motor
        if select & (select - 1):
            self.off()
            return
        stages = (1 if outputs.big else 0) | (2 if outputs.small else 0)
        wanted = (select, stages, 1 if outputs.motor else 0, outputs.permit)
        if wanted == self._set:
            return
        if not stages & 1:
            self._stages[0].value(0)
        if not stages & 2:
            self._stages[1].value(0)
        for n in range(4):
            self._select[n].value(select >> n & 1)
        self._permit.value(wanted[3])
        self._motor.value(wanted[2])
        self._stages[0].value(stages & 1)
        self._stages[1].value(stages >> 1)
        self._set = wanted

    def close(self):
        """Both valves shut, now; safe in a counter's interrupt."""
        self._stages[0].value(0)
        self._stages[1].value(0)
        self._set = (-1, 0, 0, 0)

    def off(self):
        """Everything off, permit included."""
        self.close()
        self._permit.value(0)
        self._motor.value(0)
        for pin in self._select:
            pin.value(0)
        self._set = (0, 0, 0, 0)

    def healthy(self):
        """True if the pins read back as they were set."""
        select, stages, motor, permit = self._set
        if select < 0:
            return True  # shut by the counter since the last step
        return (
            self._stages[0].value() == stages & 1
            and self._stages[1].value() == stages >> 1
            and self._motor.value() == motor
            and self._permit.value() == permit
        )
