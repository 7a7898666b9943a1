"""Who may call: keys, their rights and their rates."""
