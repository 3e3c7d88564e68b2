"""The contract kit as others use it: the command, any server, any traffic."""
