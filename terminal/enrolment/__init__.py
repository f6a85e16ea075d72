"""How a terminal becomes one, and keeps its TLS certificate. Nothing here runs in the tap process
but `watch`.
"""
