"""One step a file, numbered; a step that has been released never changes."""
