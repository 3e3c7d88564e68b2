"""The contract against a live API."""
