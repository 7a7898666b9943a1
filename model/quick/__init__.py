"""Second, faster forms of the mlp network and of its encoding, for request rows on a CPU.

`numpy_network` is `model.network.network`, `row_encoder` is `model.features.encode`.
`tests/model/quick/test_parity.py` holds each to its first form.
"""
