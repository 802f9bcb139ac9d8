"""Charts, the page and the card: draws what it is given, computes nothing."""
