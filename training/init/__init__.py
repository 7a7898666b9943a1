"""A first study from files: what they are, what may be predicted, and the YAML file with the reasons."""
