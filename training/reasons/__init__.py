"""How reasons are grouped, and what drives a model as a whole."""
