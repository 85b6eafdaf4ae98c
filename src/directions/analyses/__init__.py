"""The analyses, one table each: `observe(trained, settings)`, for scripts and `analyse`."""
