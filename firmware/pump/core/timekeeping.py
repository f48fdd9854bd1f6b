"""Is a time that the station tells believable? A clock that is right is not moved by hours because one answer says so.

A jump beyond what a clock drifts is asked for again; only the third answer in a row that says the same moves the clock,
and an alarm with the seconds stands in the journal before and after it (D26).
"""

from pump.core import records

SYNCED_S = 120  # drift of a 50 ppm crystal over four weeks
BACK_S = 300  # an estimated time goes on from the journal's last record, so the truth is not before it
AGREE_S = 5
ANSWERS = 3
FRESH_S = 7 * 86400  # a time not confirmed for so long is an estimate again: 30 s of drift


def judge(now_s, quality, told_s, doubts):
    """(take it?, doubts to be handed in next time): now_s and quality as they stand, told_s by the station."""
    difference_s = told_s - now_s
    if quality == records.TIME_UNKNOWN:
        return True, ()
    if quality == records.TIME_SYNCED and abs(difference_s) <= SYNCED_S:
        return True, ()
    if quality == records.TIME_ESTIMATED and difference_s >= -BACK_S:
        return True, ()
    doubts = (doubts + (difference_s,))[-ANSWERS:]
    if len(doubts) == ANSWERS and max(doubts) - min(doubts) <= AGREE_S:
        return True, ()
    return False, doubts
