"""Tuning: which configuration keeps a budget of false fails and finds most."""
