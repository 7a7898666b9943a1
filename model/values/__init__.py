"""Raw values: columns, the event log, request rows, and the customers whom they describe."""
