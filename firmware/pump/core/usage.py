"""What a card has used today: kept on the card itself, so that a day's limits hold at every pump, offline too.

A usage is (day, fills, fen, ml, odometer_km) as in the card's usage file. The pump that reserves decides which day it
is and writes it with the reservation; whoever settles only adds what was sold, in the commit of the settlement. A
sale counts for the day it was begun.
"""

from pump.core import card_layout, codes, records


def of_today(usage, now_s, quality):
    """The usage with yesterday's sums gone.

    A day on the card that lies ahead is taken at its word, because a clock that is estimated falls behind; only a
    clock that is right knows more than one day ahead to be an error.
    """
    day = usage[0]
    if quality == records.TIME_UNKNOWN:
        return usage
    today = (now_s + card_layout.DAY_OFFSET_S) // 86400 & 0xFFFF
    if day < today or day > today + 1 and quality == records.TIME_SYNCED:
        return today, 0, 0, 0, usage[4]
    return usage


def after(usage, amount_fen, volume_ml):
    """The usage with a sale added. One without fuel is no fill."""
    day, fills, fen, ml, odometer_km = usage
    return day, min(255, fills + (volume_ml > 0)), fen + amount_fen, ml + volume_ml, odometer_km


def check(card, now_s, quality, min_fen):
    """The refusal code that a day's limits demand, 0: none; sets card.usage for today and card.most_fen.

    min_fen: the least for which a sale is begun.
    """
    card.usage = of_today(card.usage, now_s, quality)
    if not card.day_fen and not card.day_fills:
        return 0
    if quality == records.TIME_UNKNOWN:
        return codes.REFUSE_CLOCK
    if card.day_fills and card.usage[1] >= card.day_fills:
        return codes.REFUSE_DAY_FILLS
    if card.day_fen:
        card.most_fen = card.day_fen - card.usage[2]
        if card.most_fen < min_fen:
            return codes.REFUSE_DAY_MONEY
    return 0
