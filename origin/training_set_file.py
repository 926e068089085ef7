"""The training set as a Parquet file, written page by page."""

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from origin.training_set import LABELS, Row

ROWS_PER_GROUP = 5_000
"""Rows that are compressed together, and what a reader decodes at a time: some megabytes."""


class TrainingSetFile:
    """A Parquet file that grows by rows; it appears under its name when it is complete."""

    def __init__(self, path: Path) -> None:
        import pyarrow
        import pyarrow.parquet

        self._pyarrow: Any = pyarrow
        self._path = path
        self._part = path.with_name(f"{path.name}.part")
        self._schema = _schema(pyarrow)
        self._writer: Any = pyarrow.parquet.ParquetWriter(
            self._part, self._schema, compression="zstd"
        )
        self.rows = 0

    def write(self, rows: Sequence[Row]) -> None:
        """Append the rows."""
        if rows:
            table = self._pyarrow.Table.from_pylist(rows, schema=self._schema)
            self._writer.write_table(table, row_group_size=ROWS_PER_GROUP)
            self.rows += len(rows)

    def __enter__(self) -> Self:
        """Return the open file."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Complete the file, or leave none where something went wrong."""
        self._writer.close()
        if error is None:
            self._part.replace(self._path)
        else:
            self._part.unlink(missing_ok=True)


def _schema(pyarrow: Any) -> Any:
    text, flag, whole = pyarrow.string(), pyarrow.bool_(), pyarrow.int64()
    name = pyarrow.dictionary(pyarrow.int32(), text)
    past = pyarrow.struct([("item_id", text), ("action", name), ("occurred_at_ms", whole)])
    return pyarrow.schema(
        [
            ("slate_id", text),
            ("decided_at_ms", whole),
            ("seen", flag),
            ("user_id", text),
            ("session_id", text),
            ("consent", name),
            ("surface", name),
            ("device", name),
            ("region", name),
            ("local_hour", pyarrow.int8()),
            ("entry_category", name),
            ("policy_version", whole),
            ("model_version", name),
            ("bundle_version", name),
            ("context_version", pyarrow.int32()),
            ("degraded", name),
            ("epsilon", pyarrow.float32()),
            ("exploration_rate", pyarrow.float32()),
            ("candidates", pyarrow.int32()),
            ("feature_names", name),
            ("item_id", text),
            ("position", pyarrow.int16()),
            ("propensity", pyarrow.float64()),
            ("base_score", pyarrow.float32()),
            ("explored", flag),
            ("features", pyarrow.list_(pyarrow.float32())),
            *((label, flag) for label in LABELS),
            ("reward", pyarrow.float32()),
            ("sequence", pyarrow.list_(past)),
        ]
    )
