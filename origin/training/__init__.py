"""Training: from events to embeddings, a deep ranker and its edge student, exported to ONNX."""
