"""Kayenta's forms, both ways: what its clients send, and what they expect."""
