"""One key per card from a master key: AES-128 key diversification, NXP AN10922 section 2.2."""

import cmac


def diversify(master, uid, aid, system):
    """The 16-byte key of the card uid in application aid; system is a constant of the installation.

    ValueError if the three together are empty or longer than the 31 bytes that AN10922 allows.
    """
    data = uid + aid + system
    if not 1 <= len(data) <= 31:
        raise ValueError("AN10922 input is 1 to 31 bytes")
    return cmac.Cmac(master).of(b"\x01" + data, size=32)
