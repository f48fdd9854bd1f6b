"""Loading at the pump (D28): the station talks to the card, the pump carries the frames and can read none of them.

The credit key never comes here: what passes are challenges, MACs and data under a session key that only station and
card have (docs/card-format.md, Loading). What breaks off is looked up by the station on the card itself at its next
contact. A board loads this module when money waits for a card and drops it afterwards.
"""

import binascii

from pump.core import view

STEP_MS = 1200  # for the station's next frames
MOST_MS = 1600  # the customer waits two seconds at most: later than this no further frames go to the card
FRAMES = 4
FRAME_BYTES = 60


def load(ctl, ask, answer):
    """Generator of native frames: carries them until the station has done. Returns the fen that are now on the card, 0
    if that is not known; None: the card was not spoken to. ask: visit.ask; answer: the station's, with first frames."""
    name, begun_ms, step = answer["id"], ctl.uptime_ms, 0
    frames = _frames(answer)
    if not frames:
        return None
    before, ctl.view.notice = ctl.view.notice, view.NOTICE_LOADING
    while frames and ctl.uptime_ms - begun_ms < MOST_MS:
        replies = []
        for frame in frames:
            reply = yield frame
            replies.append(binascii.hexlify(reply).decode())
            if not reply or reply[0] not in (0, 0xAF):
                break
        step += 1
        answer = yield from ask(ctl, {"ask": "relay", "relay": name, "step": step, "replies": replies}, STEP_MS)
        frames = _frames(answer)
    ctl.view.notice = before
    loaded_fen = answer.get("loaded") if answer else 0
    return loaded_fen if type(loaded_fen) is int else 0


def _frames(answer):
    """The frames of an answer; none if it has none or they are nothing a card could be told."""
    texts = answer.get("frames") if answer else None
    if not isinstance(texts, list) or len(texts) > FRAMES:
        return ()
    try:
        frames = [binascii.unhexlify(text) for text in texts]
    except (ValueError, TypeError):
        return ()
    return frames if all(0 < len(frame) <= FRAME_BYTES for frame in frames) else ()
