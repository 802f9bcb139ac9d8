"""The registry: versions and aliases, promotions, the audit log, the ledger of predictions: the house's memory."""
