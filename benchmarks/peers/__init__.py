"""What people would use instead of this site, with the same network: each peer is an application of its own."""
