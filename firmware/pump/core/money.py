"""Money arithmetic. Everything is an integer: fen, millilitres, fen per litre."""


def round_half_up_div(numerator, denominator):
    """numerator / denominator rounded half up; both >= 0. The only rounding rule of the product."""
    return (2 * numerator + denominator) // (2 * denominator)


def amount_fen(volume_ml, price_fen_per_l):
    """What volume_ml costs at price_fen_per_l, in fen, rounded half up to the fen (the smallest payable unit)."""
    return round_half_up_div(volume_ml * price_fen_per_l, 1000)


def volume_for_amount_ml(limit_fen, price_fen_per_l):
    """The largest volume in ml whose amount_fen() does not exceed limit_fen."""
    if price_fen_per_l <= 0:
        raise ValueError("price_fen_per_l must be positive")
    # amount <= limit  <=>  volume * price / 1000 < limit + 1/2
    return ((2 * limit_fen + 1) * 1000 - 1) // (2 * price_fen_per_l)
