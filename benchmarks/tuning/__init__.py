"""Whether `serinus tune` keeps its promise on recordings it has not seen: `make tunings`.

`corpus` records simulated releases of several services, `halves` tunes on one half and counts on
the other, `page` writes docs/reference/tuning.md.
"""
