"""How fast past deployments are replayed: `make replays` writes docs/reference/replay-speed.md."""
