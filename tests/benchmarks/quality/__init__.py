"""`make bench-quality`: Propense as a user runs it, next to its peers, on the data sets of a folder."""
