"""The imperative shell: network, disk, clock, environment, terminal."""
