"""What goes into a control tick and what comes out of it, as the hardware has it."""


class Inputs:
    """Readings of one tick; the adapter overwrites the same object."""

    def __init__(self):
        self.edges = [0] * 8  # directed edges since power-on: A and B of nozzle 0, A and B of nozzle 1, ... (no wrap)
        self.backs = [0] * 4  # times that a channel was seen to go back between two ticks; the core sets it to 0 again
        self.lifted = 0  # bit per nozzle
        self.estop = False
        self.tamper = False
        self.seal_open = False
        self.supply_ok = True  # False: the supply monitor sees the power fail


class Outputs:
    """What the adapter sets after each step; all zero in every state that is not fuelling."""

    def __init__(self):
        self.motor = 0  # bit per nozzle
        self.big = 0  # bit per nozzle
        self.small = 0  # bit per nozzle
        self.permit = 0  # 1: permit relay closed
        self.buzzer = 0  # BEEP_...: the adapter sounds it and sets it back; much happens between two steps
        # Hardware cut-off: nozzle number, and the directed sum A + B (absolute, like inputs.edges) at which the counter
        # itself must shut both valves even if no step comes; nozzle -1: none. A counter that sees channel A alone
        # uses edges[2 * nozzle] + (threshold_counts - A - B) // 2.
        self.threshold_nozzle = -1
        self.threshold_counts = 0
