"""Moving in from other canary tools, and handing the verdict out to them."""
