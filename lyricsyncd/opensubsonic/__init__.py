"""Music servers that speak OpenSubsonic: what is new there, and what plays.

`client` speaks the protocol; `poller` makes events of what it reports.
"""
