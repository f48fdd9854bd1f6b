"""Its own module because the reader's driver needs it always, the card's commands (desfire.py) only with a card."""


class CardLost(Exception):  # noqa: N818 - an event of every day, not a fault
    """The card did not answer: whether it carried out the command is unknown."""
