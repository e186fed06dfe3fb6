"""Carries out the functions that the model calls: HTTP requests and the operator's coroutine functions."""
