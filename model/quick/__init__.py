"""Second, faster forms of the mlp network and its encoding; a parity test holds each to its first form."""
