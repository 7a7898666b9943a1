"""A study: one YAML file, read and checked."""
