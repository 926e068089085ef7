"""What a route is: a method, a path, a handler, and the words that describe it to others."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import cast

from starlette.requests import Request
from starlette.responses import Response

from origin.http.services import Services

JSON = "application/json"
MSGPACK = "application/msgpack"
NDJSON = "application/x-ndjson"

Handler = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter in the query, with its default."""

    name: str
    description: str
    default: int | str
    maximum: int | None = None


@dataclass(frozen=True, slots=True)
class Body:
    """What a body holds: its media types and the name of its schema ("" for bytes)."""

    media_types: tuple[str, ...]
    schema: str = ""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method on one path. ``answers`` says what each status means."""

    method: str
    path: str
    handler: Handler
    summary: str
    answers: Mapping[int, str]
    accepts: Body | None = None
    returns: Body = field(default_factory=lambda: Body((JSON,)))
    parameters: tuple[Parameter, ...] = ()


def answers(**meanings: str) -> Mapping[int, str]:
    """Return ``{status: meaning}`` from ``s200="the slate"``."""
    return MappingProxyType({int(name[1:]): meaning for name, meaning in meanings.items()})


def services(request: Request) -> Services:
    """Return what the application opened when it started."""
    return cast("Services", request.state.services)
