"""Why a request is refused: one exception a reason, with the HTTP status and the words for it."""


class Refusal(Exception):
    """A request that can't be answered through the client's own doing; `detail` says what would be right."""

    status = 400
    title = "Bad request"

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class NoPicture(Refusal):
    title = "Nothing to read"


class TooLarge(Refusal):
    status = 413
    title = "Too large"


class NotAPicture(Refusal):
    status = 415
    title = "Not a picture"


class UnusablePicture(Refusal):
    """A picture in a known format that can't be decoded, or is too big to be."""

    status = 422
    title = "Unusable picture"


class Blank(Refusal):
    status = 422
    title = "No ink"
