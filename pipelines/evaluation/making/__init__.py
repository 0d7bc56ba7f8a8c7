"""Question sets from a person's own documents: written by the config's LLM, or found by rules without one."""
