"""Every rule that a server must keep, and our own server put through them."""
