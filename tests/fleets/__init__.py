"""Fleets: companies, their money, rules, prices, statements and reports (C11, C12, Y7)."""
