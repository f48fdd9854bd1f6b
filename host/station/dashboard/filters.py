"""Filters above a list: plain forms sent by GET, so that every view has an address of its own."""

from collections.abc import Sequence

from station.dashboard.dom import Icon, Tag, Words


def choice(label: str, name: str, chosen: str, options: Sequence[tuple[str, str]]) -> None:
    """options: (value, word)."""
    with Tag("label", label), Tag("select", name=name):
        for value, word in options:
            Tag("option", word, value=value, **({"selected": "selected"} if value == chosen else {}))


def field(label: str, name: str, value: str, **props: str) -> None:
    """props: further attributes of the input, as type="date"."""
    with Tag("label", label):
        Tag("input", name=name, value=value, maxlength="40", **props)


def submit(t: Words, path: str) -> None:
    """The button, and the way back to the whole list at `path`."""
    with Tag("button", look="press on", type="submit"):
        Icon("filter_list")
        Tag("span", t("word.filter"))
    Tag("a", t("word.clear"), "press plain", href=path)
