"""Learning rates: reduced, tried out, found."""
