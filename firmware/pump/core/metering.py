"""Counts into millilitres, and the check of one channel against the other.

A pulser has two channels a quarter period apart. Each channel's edges are counted on a counter of its own, directed by
the other channel, so that forward flow adds four counts per pulse, two on each channel. What betrays a fault:
- the two sums part (a counter misses or doubles edges),
- one channel alone goes back (the other is stuck or loses pulses: its partner then swings to and fro),
- both go back while the pump should deliver (channels swapped, reversed).
What was delivered does not come back: the volume follows the highest count seen, so it never falls, and a hose that
swings about an edge adds nothing. One count is (1,000,000 + factor_ppm) / (4,000 * pulses_per_l) ml; the fraction of a
millilitre goes on into the next sale, so that totalizers do not drift. docs/metering.md says what is found how soon.
"""

from pump.core.money import round_half_up_div

PPM = 1000000
MOST_FACTOR_PPM = 50000  # 5 %: more is no calibration but another pulser
PARTED = 3  # readings in a row: a pause between reading A and reading B can part one or two
MOST_BACK = 8  # counts by which a hose swings; more is a fault, and not taken off the next sale
FAULT_NONE, FAULT_SKEW, FAULT_SWING, FAULT_REVERSED = 0, 1, 2, 3


class Meter:
    """One nozzle. total_ml is the totalizer up to the last rebase(); volume_ml what came since; factor_ppm the
    calibration (0: nominal, +1000: 0.1 % more volume per pulse), old_ppm the one before, events how often it was
    changed; beyond the measures in a row that were out of tolerance; swings: times that one channel went back alone."""

    def __init__(self, pulses_per_l, factor_ppm=0):
        self._den = 4000 * pulses_per_l
        self.factor_ppm = factor_ppm
        self.total_ml = self._carry = self.old_ppm = self.events = self.beyond = 0
        self.stand(0, 0, 0)

    def stand(self, a, b, back):
        """Take the counters' standing as zero; nothing is added to the totalizer. back: counts already delivered."""
        self._a = self._base_a = a
        self._b = self._base_b = b
        self._peak = back
        self.swings = self._parted = self.volume_ml = 0

    def update(self, a, b):
        """Take one reading. True if anything moved."""
        da, db = a - self._a, b - self._b
        if not da and not db:
            return False
        if (da < 0) != (db < 0):
            self.swings += 1
        self._a, self._b = a, b
        new = a - self._base_a + b - self._base_b - self._peak
        if new > 0:  # a tick's counts times a million still is a small integer to the board
            self._peak += new
            self._carry += new * (PPM + self.factor_ppm)
            if self._carry >= self._den:
                self.volume_ml += self._carry // self._den
                self._carry %= self._den
        return True

    def fault(self, pulses):
        """FAULT_... if the channels differ by `pulses` pulses or more since the last rebase()."""
        a, b = self._a - self._base_a, self._b - self._base_b
        self._parted = self._parted + 1 if abs(a - b) >= 2 * pulses else 0
        if self._parted >= PARTED:
            return FAULT_SKEW
        if self.swings >= pulses:
            return FAULT_SWING
        return FAULT_REVERSED if self._peak - a - b >= 4 * pulses else FAULT_NONE

    def pulses(self):
        """(A, B): whole pulses of each channel since the last rebase(), 0 if it went back."""
        return max(0, self._a - self._base_a) // 2, max(0, self._b - self._base_b) // 2

    def counts_for(self, volume_ml):
        """The sum of both counters, as read, at which volume_ml is first reached."""
        missing = (volume_ml - self.volume_ml) * self._den - self._carry
        return self._base_a + self._base_b + self._peak - -missing // (PPM + self.factor_ppm)

    def rebase(self):
        """Close the open volume: add it to the totalizer, begin a new one. Returns the millilitres closed."""
        closed = self.volume_ml
        self.total_ml += closed
        back = self._peak - (self._a - self._base_a + self._b - self._base_b)
        self.stand(self._a, self._b, back if back < MOST_BACK else 0)
        return closed


def error_ppm(indicated_ml, prover_ml):
    """(indicated - prover) / prover in ppm, rounded half up by its size (JJG 443-2023, relative indication error)."""
    size = round_half_up_div(abs(indicated_ml - prover_ml) * PPM, prover_ml)
    return size if indicated_ml >= prover_ml else -size


def mean_ppm(errors):
    """Arithmetic mean, rounded half up by its size."""
    total = sum(errors)
    size = round_half_up_div(abs(total), len(errors))
    return size if total >= 0 else -size


def corrected_ppm(factor_ppm, mean_error_ppm):
    """The factor that takes a mean error away: a pulse is worth (1 + factor) / (1 + error) of its nominal volume."""
    return round_half_up_div((PPM + factor_ppm) * PPM, PPM + mean_error_ppm) - PPM
