"""Raw values: columns, the event log, request rows, and customers made of them."""
