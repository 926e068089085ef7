"""edge_worker."""
