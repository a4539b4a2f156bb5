"""Tests of `gateway.wap`, and the independent programs that they use (`oracles`)."""
