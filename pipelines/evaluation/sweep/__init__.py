"""Many variants of a config, measured with the same questions."""
