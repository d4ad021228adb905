"""What notebooks and scripts call: a composition root, as the command line and the service are."""
