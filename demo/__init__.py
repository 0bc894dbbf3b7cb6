"""The demo: nginx with the module, a real identity provider, and a sample application that shows what it is told."""
