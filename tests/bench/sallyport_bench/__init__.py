"""What `scripts/bench` measures, on a real nginx; docs/PERFORMANCE.md says how to read it."""
