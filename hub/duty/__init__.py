"""Duty: 五定 of every grid (area, people, duties, tasks, rewards), shifts, attendance."""
