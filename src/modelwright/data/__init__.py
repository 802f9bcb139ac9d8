"""Reading tables, the contract, findings, splits and profiles: the only place where foreign tables exist."""
