"""What happened, beside what was said: the records of a ledger joined with today's files."""
