"""Black-box test library: a real nginx, echo upstreams, a browser, and identity providers."""
