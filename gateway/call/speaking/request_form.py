"""The form in which responses are asked for: whole, or without what the service refused in this call. Pure.

Where the service does not take a response's metadata, or a ready-made message, the caller would hear nothing: the
request is made again without the metadata, then with the words as instructions of the model.
"""

from msgspec.structs import replace

from gateway.voice.commands import CreateResponse, SayText, said_by_the_model
from gateway.voice.events import ServiceError

_PASSING = ("server_error", "internal", "rate_limit", "service_unavailable", "timeout", "too_many")
"""Beginnings of the codes of errors that pass by themselves, whatever was asked for."""
_READY_MADE = "pre_generated_assistant_message"


def passes(error: ServiceError) -> bool:
    """Return ``True`` if an error says nothing about what was asked for."""
    return error.code.lower().startswith(_PASSING)


class RequestForm:
    """The form of one call's requests."""

    def __init__(self) -> None:
        self._labelled = True
        self._ready_made = True

    def of(self, request: CreateResponse | SayText) -> CreateResponse | SayText:
        """Return ``request`` as the service is asked for it."""
        if isinstance(request, SayText) and not self._ready_made:
            request = said_by_the_model(request.text, request.request_id)
        return request if self._labelled else replace(request, labelled=False)

    def reduce(self, request: CreateResponse | SayText, error: ServiceError) -> bool:
        """Leave out what an error refused: what it names, else the metadata first.

        Return ``False`` where nothing of ``request`` is left to leave out: then the cause was another, and requests
        have their whole form again.
        """
        can_say = isinstance(request, SayText) and self._ready_made
        if can_say and (_READY_MADE in f"{error.param} {error.message}" or not self._labelled):
            self._ready_made = False
        elif self._labelled:
            self._labelled = False
        else:
            self._labelled = self._ready_made = True
            return False
        return True
