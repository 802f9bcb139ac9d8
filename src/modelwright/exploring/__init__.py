"""Looks for order in a table without a target: groups of rows that are alike, and rows that are like no others."""
