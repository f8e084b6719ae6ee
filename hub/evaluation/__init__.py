"""How well the city does its work, from evidence: indicators, rankings, reports."""
