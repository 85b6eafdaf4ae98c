"""The paper's claims against a study's tables."""
