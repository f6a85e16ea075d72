"""The one adapter to the ONSS presence registration service: all that is unsure of it lives here.

See docs/protocol/onss.md for what is sure, likely and unknown.
"""
