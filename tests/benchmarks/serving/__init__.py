"""What answering about a customer over HTTP costs: ours, a floor, the usual tutorial, and peers."""
