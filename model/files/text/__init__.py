"""Text files: unpacked, checked to be UTF-8, and parsed as delimited text or as JSON lines."""
