"""Which versions are in service: the champions as the registry names them, and others once asked for."""
