"""What the buzzer sounds, as beats of 50 ms in the bits of an integer, the lowest first. Pure.

After the two tones of a refusal its code is beaten out, so that each bad state has a beep of its own (D2): a long
tone for each ten, a short one for each one. 12 is one long and two short.
"""

from pump.core.view import BEEP_REFUSED

_PATTERNS = (0, 0b1, 0b11, 0b1110111, 0b11110011110011)  # by view.BEEP_*


def pattern(code, refusal):
    """code: view.BEEP_*; refusal: codes.REFUSE_*, heard after the tones of BEEP_REFUSED."""
    bits = _PATTERNS[code]
    if code == BEEP_REFUSED:
        at = 12
        for _ in range(refusal // 10):
            bits |= 0b1111 << at
            at += 6
        for _ in range(refusal % 10):
            bits |= 1 << at
            at += 3
    return bits
