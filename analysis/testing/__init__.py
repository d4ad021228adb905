"""Unit tests of configurations: given these series, that verdict."""
