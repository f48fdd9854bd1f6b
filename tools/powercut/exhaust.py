"""Cuts the power at every moment of a story, and again at every moment of what follows; adds up what is wrong."""

from collections.abc import Callable
from dataclasses import dataclass, field

from tools.powercut.aftermath import CHARGED, MONEY, RECORD, Finding, aftermath
from tools.powercut.rig import Kept, Rig
from tools.powercut.stories import Told


@dataclass
class Result:
    """cuts: power cuts whose aftermath was looked at; same: further ones that left what another one had left."""

    cuts: int = 0
    same: int = 0
    records_lost: int = 0
    money_lost_fen: int = 0
    double_charged: int = 0
    other: int = 0
    texts: list[str] = field(default_factory=list)

    @property
    def faults(self) -> int:
        return self.records_lost + self.money_lost_fen + self.double_charged + self.other

    def take(self, findings: list[Finding], where: str) -> None:
        for what, amount, text in findings:
            if what == RECORD:
                self.records_lost += amount
            elif what == MONEY:
                self.money_lost_fen += abs(amount)
            elif what == CHARGED:
                self.double_charged += 1
            else:
                self.other += 1
            self.texts.append(f"{where}: {text}")

    def __iadd__(self, other: "Result") -> "Result":
        for name in ("cuts", "same", "records_lost", "money_lost_fen", "double_charged", "other"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.texts += other.texts
        return self


def exhaust(told: Told, every: int = 1, again: bool = True) -> Result:
    """every: look only at each every-th cut of the story (and at all that follow from it if again)."""
    result, seen, moments = Result(), set[int](), 0

    def fresh(kept: Callable[[], Kept]) -> Kept | None:
        left = kept()
        if left.key in seen:
            result.same += 1
            return None
        seen.add(left.key)
        result.cuts += 1
        return left

    def first(kept: Callable[[], Kept], what: str) -> None:
        nonlocal moments
        moments += 1
        left = None if moments % every else fresh(kept)
        if left is None:
            return
        where = f"{told.name}, cut {moments} ({what})"

        def second(kept: Callable[[], Kept], what_then: str) -> None:
            then = fresh(kept)
            if then:
                result.take(aftermath(then), f"{where}, then {what_then}")

        result.take(aftermath(left, second if again else None), where)

    rig = Rig(told.setup, first)
    told.opening(rig)
    told.story(rig)
    first(rig.kept, "the end")
    return result
