"""Its own module because a sale may be refused by what is always in memory, the purse is only there with a card."""


class Refused(Exception):  # noqa: N818 - the answer "no", not a fault
    """Its arguments: a code of codes.REFUSE_*, a detail."""
