"""Driving a conversation with a card by plain calls, for the desk, the simulation and tests. Boards do without."""

from desfire import CardLost


def run(conversation, exchange):
    """Drive a generator with exchange(frame) -> answer to its end; returns its value."""
    try:
        frame = next(conversation)
        while True:
            try:
                answer = exchange(frame)
            except CardLost as lost:
                frame = conversation.throw(lost)
            else:
                frame = conversation.send(answer)
    except StopIteration as end:
        return end.value
