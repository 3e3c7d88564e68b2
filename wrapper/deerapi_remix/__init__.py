"""Remix Sora videos through DeerAPI."""
