"""Volume: a million logins, ten thousand dead workers, a hundred million requests; nobody becomes another."""
