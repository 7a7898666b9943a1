"""The process around the app: sockets, connections and their timeouts, and an orderly end."""
