"""A model in service: drift of its data, and updates."""
