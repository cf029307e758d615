"""Parts of networks and losses that several systems share."""
