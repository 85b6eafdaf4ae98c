"""The command `directions`, one module per subcommand: `declare` adds its arguments, `run` does the work."""
