"""The classes behind the specs that derive from LlamaIndex's: imported late, by `build()` only."""
