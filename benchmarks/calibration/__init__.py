"""Measure the judges' error rates and write the tables: `make calibrate`.

The judges run as users run them, beside those they are to replace. Constants were tuned on the
seeds 1 to 7, the tables are made with another; a cell that is lost stays in its table.
"""
