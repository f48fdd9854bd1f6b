"""What is asked from the person at the keypad: a number, confirmed with `#`, corrected with `C`, given up with `*`.

A dialog is whatever stands in ctl.dialog: an object with key(ch). It shows itself through ctl.view (notice, entry,
figures) and takes itself away (ctl.dialog = None) when it has ended. No card waits for it: the visit that opened it
ends, and `done` asks for another one.
"""


class Number:
    """value: the number typed, text: its digits; None until `#`. cancelled: given up."""

    def __init__(self, ctl, notice, digits, hidden=False, done=None):
        """notice: view.NOTICE_* that says what to type; hidden: show stars; done(self): called when it has ended."""
        self.ctl = ctl
        self.value = self.text = None
        self.cancelled = False
        self.notice = notice
        self._digits, self._hidden, self._done, self._typed = digits, hidden, done, ""
        ctl.dialog = self
        self.show()

    def show(self):
        """Again, after something else was shown in between."""
        v = self.ctl.view
        v.notice = self.notice
        v.entry = "*" * len(self._typed) if self._hidden else self._typed

    def key(self, ch):
        if "0" <= ch <= "9" and len(self._typed) < self._digits:
            self._typed += ch
        elif ch == "C":
            self._typed = ""
        elif ch == "#" and self._typed:
            self.text = self._typed
            self.value = int(self._typed)
            self.end()
            return
        elif ch == "*":
            self.cancelled = True
            self.end()
            return
        self.show()

    def end(self):
        self.close()
        if self._done:
            self._done(self)

    def close(self):
        """Take the dialog away without an answer; also when the card it was about has gone."""
        self._typed = ""
        self.ctl.view.entry = ""
        if self.ctl.dialog is self:
            self.ctl.dialog = None
            self.ctl.view.notice, self.ctl.view.figures = 0, ()
