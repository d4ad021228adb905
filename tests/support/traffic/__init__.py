"""Real traffic layers: three versions of a service behind each, and what judges them by a preset.

Each module starts one layer and gives it as a `Layer`: where its requests go in, how it is scraped,
and the configuration that compares its versions.
"""
