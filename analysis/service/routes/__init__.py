"""The routes: one kind of caller a file."""
