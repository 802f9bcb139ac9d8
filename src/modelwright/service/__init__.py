"""The service: rows come over HTTP, are checked, scored, recorded and answered; nothing of the workshop is loaded."""
