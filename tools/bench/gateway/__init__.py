"""A payment gateway on the loopback: WeChat Pay v3 and Alipay as documented, to the bytes their SDKs need (Y1).

Signatures, certificates and replays are checked as the real ones do; what its customers, its callbacks and its network
do is in the hands of the bench and of tests.
"""

HOME = "bench/gateway"  # keys and book, in the data directory
