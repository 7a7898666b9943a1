"""Files that clients upload: spooled to disk, and scored in a process of their own."""
