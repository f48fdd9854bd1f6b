"""Plain HTML elements whose text and look can change; data goes in as text nodes only, so nothing has to be escaped."""

from collections.abc import Callable
from typing import Any

from nicegui.elements.mixins.text_element import TextElement

from station import texts


class Tag(TextElement):
    """`Tag("b", "12.34", "num")`; use as a context manager to put others inside."""

    def __init__(self, tag: str = "div", text: str = "", look: str = "", **props: Any) -> None:
        super().__init__(tag=tag, text=text)
        self._look = ""
        self.look(look)
        for name, value in props.items():
            self.props[name.rstrip("_").replace("_", "-")] = value

    def look(self, classes: str) -> None:
        """Sets the CSS classes; sends nothing if they are what they were."""
        if classes != self._look:
            self._look = classes
            self.classes(replace=classes)

    def put(self, name: str, value: str) -> None:
        """Sets an attribute; sends nothing if it is what it was."""
        if self.props.get(name) != value:
            self.props[name] = value
            self.update()

    def show(self, shown: bool) -> None:
        """Hides or shows the element without taking it out of the page."""
        bare = self._look.replace(" hidden", "")
        self.look(bare if shown else bare + " hidden")

    def width(self, percent: int) -> None:
        """Sets the width in percent; sends nothing if it is what it was."""
        value = f"{percent}%"
        if self.style.get("width") != value:
            self.style(f"width: {value}")


class Icon(Tag):
    """A glyph of the icon font that the service itself serves; decoration only, a word always stands beside it."""

    def __init__(self, name: str, look: str = "") -> None:
        super().__init__("i", name, f"q-icon notranslate material-icons {look}".rstrip(), aria_hidden="true")


def press(icon: str, label: str, do: Callable[[], Any] | None = None, look: str = "", title: str = "") -> Tag:
    """A button with an icon and a word (or, without a word, a title that is read out)."""
    button = Tag("button", look=f"press {look}".rstrip(), type="button")
    if title:
        button.props["title"] = title
        button.props["aria-label"] = title
    with button:
        if icon:
            Icon(icon)
        if label:
            Tag("span", label)
    if do is not None:
        button.on("click", do)
    return button


class Words:
    """`t("last.title")`: the texts in the language of one viewer."""

    def __init__(self, lang: str) -> None:
        self.lang = lang

    def __call__(self, key: str, /, **values: object) -> str:
        return texts.text(key, self.lang, **values)
