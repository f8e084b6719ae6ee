"""Departments: who is sent to a case and answers for it."""
