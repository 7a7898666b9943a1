"""How a model treats groups of customers: figures by group, gaps, and columns that predict a group."""
