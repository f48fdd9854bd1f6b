"""Runs on MicroPython and on CPython, prints what must be equal: accounts, leases, frames carried for the station."""

import binascii

from portable_sale import UID, Bench, Card

import desfire
from pump.core import card_layout, codes

COMPANY = 7  # portable_sale's cards belong to it
END = 1790000000 + 3600


class Pump(Bench):
    """The station in a few lines: `credit` says what it tells a card of the account, `waiting` what it carries."""

    credit = None
    waiting = 0

    def start(self):
        super().start("slot")

    def answer(self, question):
        ask, name = question["ask"], question["id"]
        print("ask", ask, question.get("want"), question.get("held"), question.get("head"), question.get("replies"))
        if ask == "load" and self.waiting:
            select = binascii.hexlify(b"\x5a" + card_layout.AID).decode()
            return {"id": name, "frames": [select, select]}
        if ask == "relay":
            step = question["step"]
            return {"id": name, "frames": ["aa02"]} if step == 1 else {"id": name, "loaded": self.waiting}
        if ask == "authorise":
            self.grade = question["grade"]
            answer = dict(self.credit)
            answer["id"] = name
            return answer
        return {"id": name, "unknown": True}

    def visit(self, card):
        job = self.ctl.take_job()
        if not job:
            return
        try:
            frame = job.send(None)
            while True:
                if frame is None:
                    self.run(50)
                    question = self.ctl.take_ask()
                    if question and self.ctl.link_online:
                        self.ctl.answer(self.answer(question))
                    frame = job.send(None)
                else:
                    frame = job.send(card.exchange(frame))
        except StopIteration as end:
            self.ctl.card_done(end.value)
        except desfire.CardLost as lost:
            self.ctl.card_failed(lost)

    def fill(self, card, flow_ms=3000):
        self.sale(card, "", flow_ms)
        v = self.ctl.view
        print("fill", v.refusal, v.notice, v.volume_ml, self.ctl.leases, card.value)


def main():
    bench = Pump()
    assert bench.ctl.set_tariff(1, 0, {1: 756})
    bench.run(1000)
    card = Card(0, card_layout.KIND_ACCOUNT)
    bench.fill(card)  # neither a line nor a lease: refused
    bench.ctl.link_online = True
    bench.credit = {"lease": 5, "fen": 20000, "offline": [6, 3000, 2, END]}
    bench.fill(card)
    bench.ctl.link_online = False
    bench.fill(card)
    bench.start()  # the power was away: the lease is read back from the journal
    bench.ctl.link_online = False
    bench.run(500)
    print("leases", bench.ctl.leases)
    bench.fill(card)
    bench.fill(card)  # two fills were lent
    bench.ctl.link_online = True
    bench.credit = {"exhausted": True}
    bench.fill(card)
    bench.credit = {"lease": 8, "fen": "much", "offline": [9, -1, 2]}
    bench.fill(card)
    bench.credit = {"lease": 8, "fen": 500, "offline": [9, 1000, 1, END]}
    bench.fill(card)
    for code in (codes.REFUSE_HOURS, -1, "much"):  # a rule of the company declines; nonsense is no reason, nor a sale
        bench.credit = {"refused": code}
        bench.fill(card)
        assert bench.ctl.view.refusal == (code if code == codes.REFUSE_HOURS else codes.REFUSE_ACCOUNT)
    assert bench.grade == 1
    bench.credit = {"stopped": True}
    bench.fill(card)
    assert not bench.ctl.leases
    purse = Card(5000)
    bench.waiting = 20000
    bench.ctl.inputs.lifted = 0
    bench.run(500)
    bench.ctl.card_arrived(UID)
    bench.visit(purse)
    print("loaded", bench.ctl.view.notice, bench.ctl.view.figures, purse.value)
    bench.tell_all()
    print("ok")


if __name__ == "__main__":
    main()
