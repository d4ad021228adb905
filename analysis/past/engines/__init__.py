"""Where replays run: one engine a file, all of them behind `port.Engine`."""
