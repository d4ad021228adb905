"""Pages for people, made on the server: they work without a script and ask no other host."""
