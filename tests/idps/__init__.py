"""Real identity providers for the demo and the tests, each in processes of its own. Only the standard library."""
