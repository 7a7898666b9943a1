"""The process around the app: sockets, connections and their time limits, workers, the way to a clean end."""
