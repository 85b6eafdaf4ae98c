"""The tables of the analyses, one each: `observe(trained, settings)`, for scripts and `own.call`."""
