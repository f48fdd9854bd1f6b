"""Prices by grade: those in force, and one set that waits for its time."""

LEAST_FEN, MOST_FEN = 1, 99999


class Tariff:
    def __init__(self):
        self.version = 0
        self.prices = {}  # grade -> fen per litre
        self._next = None

    def price(self, grade):
        """fen per litre, 0: none known."""
        return self.prices.get(grade, 0)

    def offer(self, version, effective, prices):
        """Keep a set for its time. False for a version that does not rise or a price that cannot be."""
        newest = self._next[0] if self._next else self.version
        if version <= newest or not prices:
            return False
        for grade in prices:
            price = prices[grade]
            if type(price) is not int or not LEAST_FEN <= price <= MOST_FEN:
                return False
        self._next = (version, effective, dict(prices))
        return True

    def due(self, now_s):
        """(version, effective, prices) whose time has come, or None. With no price at all yet it has always come."""
        if self._next and (self._next[1] <= now_s or not self.prices):
            return self._next
        return None

    def take(self):
        """Put the waiting set in force."""
        self.version, _, self.prices = self._next
        self._next = None
