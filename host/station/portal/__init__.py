"""What customers' phones may see: the receipt whose QR code they hold, and nothing else. Its own process and port.

No script, no cookie, no account; figures come from the receipt itself once its signature holds, so a page tells nothing
that its holder did not have. A few looks a minute for each address.
"""

from station.portal.app import create_app

__all__ = ["create_app"]
