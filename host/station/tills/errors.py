"""What the tills say when something cannot be."""


class TillError(ValueError):
    """Not possible at the till; the message (Chinese, then English) says why. Nothing was changed."""
