"""The edge scorer in force, and how a newer one takes its place while requests come in.

A manifest that this code cannot feed is refused at once and stays refused; the last good model goes
on. One that fits is put in force when the scorer worker has loaded its graph, not before.
"""

from __future__ import annotations

from edge_worker.model import Model

CHECK_MS = 15_000
"""Time between two questions for a newer manifest: a model is trained once an hour at most."""


class ModelInForce:
    """The model, the one being loaded, and what was refused last."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.etag = ""
        self.refused = ""
        self.previous_version: str | None = None
        self._loading: tuple[Model, str] | None = None

    def consider(self, offered: Model, etag: str) -> bool:
        """Return whether the offered model's graph is to be loaded."""
        if not offered.fits:
            self.etag, self.refused = etag, offered.version
            return False
        if offered == self.model:
            self.etag, self.refused = etag, ""
            return False
        self._loading = offered, etag
        return True

    def loaded(self, succeeded: bool) -> bool:
        """Note what became of loading; return whether the new model is in force now.

        After a failure the manifest is asked for again with the next check.
        """
        if self._loading is None:
            return False
        (model, etag), self._loading = self._loading, None
        if succeeded:
            self.etag, self.refused = etag, ""
            # Bundles lie under the model's version: those of the last one are still found.
            self.previous_version, self.model = self.model.version, model
        return succeeded
