"""How fast answers become arrays, and what a fleet costs."""
