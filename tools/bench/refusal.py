"""Why the bench does not do what it was asked to do, for people: Chinese and English, with the HTTP status."""


class Refused(Exception):  # noqa: N818 - it is an answer, not a failure
    def __init__(self, status: int, zh: str, en: str) -> None:
        super().__init__(f"{zh} · {en}")
        self.status, self.zh, self.en = status, zh, en
