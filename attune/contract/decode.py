"""Reading untrusted mappings field by field, with errors that name the field.

A ``Fields`` wraps one decoded JSON or msgpack object. At the browser's border it is *strict*: a
field nobody asked for is an error, because it is a typo that would otherwise be lost in silence.
Between our own tiers it is tolerant: a newer sender may add fields that an older reader skips.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

from attune.contract import SCHEMA_VERSION

Value = TypeVar("Value")

ID_LENGTH_MAX = 128
"""Longest accepted identifier; ours are 22 to 36 characters, imported catalogues need more."""

TIME_MS_MAX = 4_102_444_800_000
"""2100-01-01: a larger "milliseconds since 1970" is microseconds sent by mistake."""


class ContractError(ValueError):
    """A value that breaks the wire contract: the sender's fault, never retried as it is."""

    def __init__(self, field: str, problem: str, status: int = 400) -> None:
        super().__init__(f"{field}: {problem}" if field else problem)
        self.field = field
        self.problem = problem
        self.status = status

    def within(self, parent: str) -> "ContractError":
        """Return the same error seen from the object that holds the field."""
        if not self.field:
            path = parent
        elif self.field.startswith("["):
            path = parent + self.field
        else:
            path = f"{parent}.{self.field}"
        return ContractError(path, self.problem, self.status)

    def as_json(self) -> dict[str, dict[str, str]]:
        """Return the body of the HTTP answer."""
        return {"error": {"field": self.field, "problem": self.problem}}


class Fields:
    """One decoded object, read field by field.

    >>> fields = Fields({"n": "ten"})
    >>> fields.integer("n", 1, 50)
    Traceback (most recent call last):
    ...
    attune.contract.decode.ContractError: n: must be a whole number, not str
    """

    def __init__(self, raw: object) -> None:
        if not isinstance(raw, Mapping):
            raise ContractError("", f"must be an object, not {type(raw).__name__}")
        self._raw = cast("Mapping[str, Any]", raw)
        self._asked: set[str] = set()

    def schema(self) -> int:
        """Return the sender's schema version, or refuse one newer than ours."""
        version = self.integer("schema", 1, 1_000_000, default=SCHEMA_VERSION)
        if version > SCHEMA_VERSION:
            raise ContractError(
                "schema", f"{version} is newer than {SCHEMA_VERSION}, the newest known"
            )
        return version

    def text(self, name: str, length_max: int = ID_LENGTH_MAX, default: str | None = None) -> str:
        """Return a non-empty string; ``default`` stands in for an absent one."""
        value = self._take(name)
        if value is None:
            if default is not None:
                return default
            raise ContractError(name, "is required")
        return checked_text(name, value, length_max)

    def optional_text(self, name: str, length_max: int = ID_LENGTH_MAX) -> str | None:
        """Return a non-empty string, or None where it is absent, null or empty."""
        value = self._take(name)
        return None if value in (None, "") else checked_text(name, value, length_max)

    def choice(self, name: str, choices: tuple[str, ...], default: str | None = None) -> str:
        """Return one of ``choices``."""
        value = self.text(name, default=default)
        if value not in choices:
            raise ContractError(name, f"must be one of {', '.join(choices)}")
        return value

    def integer(self, name: str, low: int, high: int, default: int | None = None) -> int:
        """Return a whole number in [low, high]."""
        value = self._take(name)
        if value is None:
            if default is not None:
                return default
            raise ContractError(name, "is required")
        # JavaScript has one kind of number: 3.0 arrives for 3.
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise ContractError(name, f"must be a whole number, not {type(value).__name__}")
        if not low <= value <= high:
            raise ContractError(name, f"must be from {low} to {high}")
        return value

    def optional_integer(self, name: str, low: int, high: int) -> int | None:
        """Return a whole number in [low, high], or None where it is absent or null."""
        return None if self._raw.get(name) is None else self.integer(name, low, high)

    def number(self, name: str, low: float, high: float, default: float | None = None) -> float:
        """Return a finite number in [low, high]."""
        value = self._take(name)
        if value is None:
            if default is not None:
                return default
            raise ContractError(name, "is required")
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ContractError(name, f"must be a number, not {type(value).__name__}")
        # NaN compares false, too; math.isfinite would overflow on whole numbers of 400 digits.
        if not low <= value <= high:
            raise ContractError(name, f"must be from {low:g} to {high:g}")
        return float(value)

    def time_ms(self, name: str, default: int | None = None) -> int:
        """Return an instant in milliseconds since 1970-01-01 UTC."""
        return self.integer(name, 0, TIME_MS_MAX, default)

    def boolean(self, name: str, default: bool | None = None) -> bool:
        """Return true or false."""
        value = self._take(name)
        if value is None and default is not None:
            return default
        if not isinstance(value, bool):
            raise ContractError(name, "must be true or false")
        return value

    def raw_bytes(self, name: str, length: int | None = None) -> bytes:
        """Return a byte string, of exactly ``length`` bytes where that is given."""
        value = self._take(name)
        if not isinstance(value, bytes):
            raise ContractError(name, "must be bytes")
        if length is not None and len(value) != length:
            raise ContractError(name, f"must be {length} bytes long, not {len(value)}")
        return value

    def texts(self, name: str, count_max: int, length_max: int = ID_LENGTH_MAX) -> tuple[str, ...]:
        """Return a list of non-empty strings; an absent one is empty."""
        return self.listed(name, count_max, lambda item: checked_text("", item, length_max))

    def listed(
        self, name: str, count_max: int, read: Callable[[object], Value]
    ) -> tuple[Value, ...]:
        """Return a list whose every entry went through ``read``; an absent one is empty."""
        value = self._take(name)
        if value is None:
            return ()
        if not isinstance(value, list | tuple):
            raise ContractError(name, f"must be a list, not {type(value).__name__}")
        entries = cast("list[object]", value)
        if len(entries) > count_max:
            raise ContractError(name, f"must hold at most {count_max} entries, not {len(entries)}")
        return tuple(self._entry(name, index, entry, read) for index, entry in enumerate(entries))

    def nested(self, name: str, read: Callable[[object], Value], default: Value) -> Value:
        """Return an object field that went through ``read``."""
        value = self._take(name)
        if value is None:
            return default
        try:
            return read(value)
        except ContractError as error:
            raise error.within(name) from None

    def raw(self, name: str) -> object:
        """Return the field as it came, for a reader that takes it further."""
        return self._take(name)

    def refuse_unknown(self) -> None:
        """Raise for the first field that nobody asked for."""
        for name in self._raw:
            if name not in self._asked:
                raise ContractError(str(name)[:ID_LENGTH_MAX], "is not a known field")

    def _take(self, name: str) -> Any:
        self._asked.add(name)
        return self._raw.get(name)

    @staticmethod
    def _entry(name: str, index: int, entry: object, read: Callable[[object], Value]) -> Value:
        try:
            return read(entry)
        except ContractError as error:
            raise error.within(f"[{index}]").within(name) from None


def checked_text(name: str, value: object, length_max: int = ID_LENGTH_MAX) -> str:
    """Return ``value`` if it is a usable string: not empty, not too long, no control characters."""
    if not isinstance(value, str):
        raise ContractError(name, f"must be a string, not {type(value).__name__}")
    if not value:
        raise ContractError(name, "must not be empty")
    if len(value) > length_max:
        raise ContractError(name, f"must be at most {length_max} characters")
    # PostgreSQL text cannot hold NUL, a lone surrogate has no UTF-8 form.
    # Looking at every letter costs a fifth of reading an event, and ids are nearly always ASCII.
    has_surrogates = not value.isascii() and any("\ud800" <= c <= "\udfff" for c in value)
    if "\x00" in value or has_surrogates:
        raise ContractError(name, "must be valid text without NUL")
    return value
