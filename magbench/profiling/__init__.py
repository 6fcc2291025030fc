"""What a block costs after long histories: latency, bytes, operations."""
