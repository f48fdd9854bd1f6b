"""The keys of one card, diversified from the masters (AN10922), and the issuer's signature on its contents."""

import hmac
from dataclasses import dataclass, field
from typing import Self

import an10922
import cmac
from pump.core import card_layout
from station.platform.secrets import Secrets

KEY_VERSION = 1


@dataclass(frozen=True)
class CardKeys:
    """16-byte AES keys of one card. `picc` guards the card itself, `master`, `pump` and `credit` our application."""

    uid: bytes
    picc: bytes = field(repr=False)
    master: bytes = field(repr=False)
    pump: bytes = field(repr=False)
    credit: bytes = field(repr=False)
    issuer: bytes = field(repr=False)

    @classmethod
    def of(cls, secrets: Secrets, uid: bytes) -> Self:
        """The keys of the card with this UID."""

        def own(master: bytes, aid: bytes = card_layout.AID) -> bytes:
            key: bytes = an10922.diversify(master, uid, aid, card_layout.SYSTEM)
            return key

        return cls(
            uid,
            own(secrets.issuing, b"\0\0\0"),
            own(secrets.issuing),
            own(secrets.pump),
            own(secrets.credit),
            secrets.issuer,
        )

    def sign(self, content: bytes) -> bytes:
        """content and the issuer's CMAC over UID and content: what identity and limits files hold."""
        signature: bytes = cmac.mac(self.issuer, self.uid + content)
        return content + signature

    def signed(self, data: bytes, length: int) -> bool:
        """True if data[length:] is the issuer's CMAC of data[:length] on this card."""
        return hmac.compare_digest(cmac.mac(self.issuer, self.uid + data[:length]), data[length : length + 16])
