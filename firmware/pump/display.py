"""Keeps the display at what the controller's view says: differences only, a burst at a time, so that no tick waits
long for the bus."""

import asyncio

from pump import overlays, screens
from pump.core import view
from pump.core.codes import ALARM_DISPLAY
from pump.lcd import Lcd

_TICK_MS = 10
_DISPLAY_MS = 100
_TURN_MS = 2000  # a language, where both take turns
_NO_NOZZLE = 255
_RECEIPT_MS = 60000
_RECEIPT = "pump.qr_receipt", "pump.core.receipt", "qr"
_FIGURES_MS = 4000  # the figures of a sale stand alone before the receipt comes
_AT_REST = (view.IDLE, view.CARD, view.NOZZLE, view.LOCKED)


class Display:
    """Of a board that has `controller`, `link`, `software` and `name`."""

    def __init__(self, i2c, board):
        self._board = board
        self._url = board.identity.get("receipt", "")
        self._sale = 0  # whose receipt was shown or is waited for
        self._since_ms = 0
        self._lcd = Lcd(i2c, screens.CHARACTER if board.identity.get("display") == "character" else screens.GRAPHIC)

    def _lines(self):
        board, lcd = self._board, self._lcd
        ctl = board.controller
        lang = ctl.settings.language
        if lang > screens.EN:
            lang = ctl.uptime_ms // _TURN_MS & 1
        if ctl.view.page:
            if ctl.view.state in _AT_REST and not ctl.dialog:
                from pump import pages

                up = board.link is not None and board.link.up
                return pages.lines(ctl, lcd.columns, lang, board.software, board.name, up)
            ctl.view.page = 0  # a customer sees the sale
        return screens.lines(ctl.view, screens.locks(ctl.locked, ctl.alarms), lcd.columns, lang)

    def _ended(self):
        """True while the figures of the last sale stand there and nobody does anything."""
        ctl = self._board.controller
        v = ctl.view
        if v.state not in (view.IDLE, view.CARD) or v.page or v.entry or v.preset_kind or ctl.dialog or not v.reason:
            return False
        return v.notice in (view.NOTICE_NONE, view.NOTICE_SETTLED) and v.volume_ml and not ctl.inputs.lifted

    def _receipt_due(self):
        """Once for each sale, a moment after it has ended."""
        ctl = self._board.controller
        if self._lcd.columns != screens.GRAPHIC or not self._ended():
            return False
        if ctl.view.sale_seq != self._sale:
            self._sale, self._since_ms = ctl.view.sale_seq, ctl.uptime_ms
        if self._since_ms and ctl.uptime_ms - self._since_ms >= _FIGURES_MS:
            self._since_ms = 0
            return True
        return False

    async def _draw(self):
        from pump import qr_receipt

        ctl = self._board.controller
        return await qr_receipt.draw(self._lcd, ctl, self._url, ctl.settings.language & 1, self._ended)

    async def _receipt(self):
        """Until somebody does something, a minute at most; what draws it is dropped before that."""
        ctl = self._board.controller
        drawn = await self._draw()
        overlays.drop(_RECEIPT)
        if drawn:
            until_ms = ctl.uptime_ms + _RECEIPT_MS
            while self._ended() and ctl.uptime_ms < until_ms:
                await asyncio.sleep_ms(_DISPLAY_MS)
            self._lcd.wipe()

    async def run(self):
        """For ever. A display that does not answer is an alarm and is begun anew each second; the pump sells on."""
        ctl, lcd = self._board.controller, self._lcd
        while True:
            lines = self._lines()
            try:
                while lcd.update(lines):
                    await asyncio.sleep_ms(_TICK_MS)
                ctl.clear_alarm(ALARM_DISPLAY, _NO_NOZZLE)
                if self._receipt_due():
                    await self._receipt()
            except OSError:
                lcd.lost()
                ctl.raise_alarm(ALARM_DISPLAY, _NO_NOZZLE, 0)
                await asyncio.sleep_ms(1000)
            await asyncio.sleep_ms(_DISPLAY_MS)
