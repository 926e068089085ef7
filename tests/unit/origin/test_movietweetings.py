"""MovieTweetings: films and ratings as items and interactions."""

from pathlib import Path

import httpx
import pytest

from attune.contract.decode import ContractError
from origin.dataset import download
from origin.dataset.download import RemoteFile, fetch
from origin.dataset.movietweetings import Ratings, event_rows, item_rows, movie_of
from origin.dataset.rows import DatasetError, Reject, Row


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    films = "0007264::The Rink (1916)::Comedy|Short\n1853728::Django Unchained (2012)::Western\n"
    (tmp_path / "movies.dat").write_text(films + "12::No year::Drama\nbroken\n", "utf-8")
    ratings = "2::1853728::9::1366576639\n1::0007264::6::1365029107\nbroken\n"
    (tmp_path / "ratings.dat").write_text(ratings, "utf-8")
    return tmp_path


def test_a_film_becomes_an_item_with_year_genres_and_drawn_pictures(folder: Path) -> None:
    _, django, *_ = item_rows(folder)
    assert isinstance(django, Row)
    item = movie_of(django)
    assert (item.item_id, item.title, item.category) == ("tt1853728", "Django Unchained", "Western")
    assert item.tags == ("western", "2010s")
    assert item.attributes["year"] == 2012
    assert item.image_url == "/v1/media/tt1853728.webp"
    assert 1_300_000_000_000 < item.published_at_ms < 1_340_000_000_000


def test_lines_that_are_no_film_name_their_field(folder: Path) -> None:
    *_, no_year, broken = item_rows(folder)
    assert isinstance(no_year, Row)
    with pytest.raises(ContractError, match="year"):
        movie_of(no_year)
    assert broken == Reject(4, "", "must hold 3 columns separated by ::")


def test_ratings_come_in_the_order_of_time(folder: Path) -> None:
    broken, first, second = event_rows(folder)
    assert isinstance(broken, Reject)
    assert isinstance(first, Row)
    assert isinstance(second, Row)
    ratings = Ratings()
    early, late = ratings.interaction_of(first), ratings.interaction_of(second)
    assert (early.user_id, early.item_id, early.action) == ("mt-1", "tt0007264", "view")
    assert (late.user_id, late.action) == ("mt-2", "purchase")
    assert early.occurred_at_ms == 1_365_029_107_000 < late.occurred_at_ms


def test_a_missing_file_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"movies\.dat: No such file"):
        list(item_rows(tmp_path))


def serve(monkeypatch: pytest.MonkeyPatch, body: bytes | None) -> None:
    """Let downloads answer with the body, or fail as they do offline."""

    def stream(method: str, url: str, **_: object) -> object:
        def answer(request: httpx.Request) -> httpx.Response:
            if body is None:
                raise httpx.ConnectError("Name or service not known")
            return httpx.Response(200, content=body)

        return httpx.Client(transport=httpx.MockTransport(answer)).stream(method, url)

    monkeypatch.setattr(download.httpx, "stream", stream)


FILE = RemoteFile(
    "https://data.example/movies.dat",
    "movies.dat",
    "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
)


def test_a_download_is_checked_kept_and_not_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    serve(monkeypatch, b"hello")
    for _ in range(2):
        fetch((FILE,), tmp_path / "cache", said.append)
    assert (tmp_path / "cache" / "movies.dat").read_bytes() == b"hello"
    assert said == ["Downloading https://data.example/movies.dat"]


def test_a_download_with_another_checksum_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(monkeypatch, b"something else")
    with pytest.raises(DatasetError, match="checksum"):
        fetch((FILE,), tmp_path, print)
    assert list(tmp_path.iterdir()) == []


def test_offline_the_error_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, None)
    with pytest.raises(DatasetError, match="--path"):
        fetch((FILE,), tmp_path, print)
