"""Sales that ended but whose unused money is not yet known to be back on the card: (sale_seq, end_seq, uid, counter,
reserved_fen, amount_fen, uncertain), oldest first.

The card names its open sale itself, and the journal or the station knows the end of it; this table serves the sales whose
settlement or reservation got no answer, so that their record can be written when the card comes back.
"""

MOST = 24
SALE, END, UID, COUNTER, RESERVED, AMOUNT, UNCERTAIN = 0, 1, 2, 3, 4, 5, 6


class Unsettled:
    def __init__(self):
        self.sales = []

    def room(self, acked):
        """True if one more can be kept: there is space, or the oldest one's end is with the station."""
        return len(self.sales) < MOST or any(sale[END] <= acked for sale in self.sales)

    def add(self, sale, acked):
        if len(self.sales) >= MOST:
            for i in range(len(self.sales)):
                if self.sales[i][END] <= acked:
                    del self.sales[i]
                    break
        self.sales.append(sale)

    def remove(self, sale_seq):
        self.sales = [sale for sale in self.sales if sale[SALE] != sale_seq]

    def find(self, sale_seq):
        for sale in self.sales:
            if sale[SALE] == sale_seq:
                return sale
        return None

    def of_card(self, uid):
        return [sale for sale in self.sales if sale[UID] == uid]
