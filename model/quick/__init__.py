"""Second, faster forms of the mlp network and of its encoding; one parity test holds each to its first form."""
