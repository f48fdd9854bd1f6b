"""What is asked from the person at the keypad: a number, confirmed with `#`, corrected with `C`, given up with `*`.

A dialog is whatever stands in ctl.dialog: an object with key(ch). It shows itself through ctl.view (notice, entry,
figures) and takes itself away (ctl.dialog = None) when it has ended. A generator that needs the answer yields None
until `value` or `cancelled` is there.
"""


class Number:
    """value: the number typed, None until `#`; cancelled: given up."""

    def __init__(self, ctl, notice, digits, hidden=False):
        """notice: view.NOTICE_* that says what to type; hidden: show stars."""
        self.ctl = ctl
        self.value = None
        self.cancelled = False
        self._digits, self._hidden, self._typed = digits, hidden, ""
        ctl.dialog = self
        ctl.view.notice = notice
        ctl.view.entry = ""

    def key(self, ch):
        if "0" <= ch <= "9" and len(self._typed) < self._digits:
            self._typed += ch
        elif ch == "C":
            self._typed = ""
        elif ch == "#" and self._typed:
            self.value = int(self._typed)
            self.close()
        elif ch == "*":
            self.cancelled = True
            self.close()
        self.ctl.view.entry = "*" * len(self._typed) if self._hidden else self._typed

    def close(self):
        """Take the dialog away; also when the card it was about has gone."""
        self._typed = ""
        self.ctl.view.entry = ""
        if self.ctl.dialog is self:
            self.ctl.dialog = None
