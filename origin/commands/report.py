"""How commands show what they found: one JSON line for machines, a table for people."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import click

Figure = str | int | float | bool | None
FigureTree = Figure | Sequence["FigureTree"] | Mapping[str, "FigureTree"]
Decorated = TypeVar("Decorated", bound=Callable[..., object])


def json_option(command: Decorated) -> Decorated:
    """Give a command the option `--json`, which arrives as the argument `as_json`."""
    option = click.option("--json", "as_json", is_flag=True, help="Print one line of JSON.")
    return option(command)


def show(figures: Mapping[str, FigureTree], *, as_json: bool, title: str) -> None:
    """Print named figures: as one JSON line, or as a table of two columns."""
    if as_json:
        click.echo(json.dumps(figures, ensure_ascii=False))
        return
    rows = [{"figure": name.replace("_", " "), "value": value} for name, value in figures.items()]
    print_table(rows, title=title)


def show_rows(rows: Sequence[Mapping[str, FigureTree]], *, as_json: bool, title: str) -> None:
    """Print records that share their keys: as one JSON line each, or as one table."""
    if as_json:
        for row in rows:
            click.echo(json.dumps(row, ensure_ascii=False))
        return
    print_table(rows, title=title)


def say(sentence: str, *, as_json: bool = False) -> None:
    """Tell a person what happens now, on stderr, so that stdout stays the answer."""
    if not as_json:
        click.echo(sentence, err=True)


def print_table(rows: Sequence[Mapping[str, FigureTree]], *, title: str) -> None:
    """Print records as a table; numbers stand on the right."""
    from rich.console import Console  # loaded here: a JSON answer never pays for it
    from rich.table import Table

    table = Table(title=title, title_justify="left", header_style="bold", expand=False)
    names = rows[0] if rows else {"nothing": None}
    for name, value in names.items():
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        table.add_column(name.replace("_", " "), justify="right" if is_number else "left")
    for row in rows:
        table.add_row(*(cell(value) for value in row.values()))
    Console().print(table)


def cell(value: FigureTree) -> str:
    """Return a value as a person reads it: thousands separated, fractions to four digits."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
