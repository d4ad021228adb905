"""Simulated deployments with known outcome, and what a careful user's configuration says of them.

`world` draws what a deployment is like, `faults` what is wrong with it, `draw` what its scrapes
show; `scraped` reads that as the engine would, `rule` judges it, `comparators` do what others do,
`figures` count, and `page` writes docs/reference/deployments.md.
"""
